// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { programPath } from '../../../../scripts/program-path.js';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import { coalesce } from '../../../../src/disks/drivers/vhd/tools/coalesce.js';
import { convert } from '../../../../src/disks/drivers/vhd/tools/convert.js';
import { snapshot } from '../../../../src/disks/drivers/vhd/tools/snapshot.js';
import { closeDisk, imageDirectory, nodeCalls, openDisk, writeDisk } from './fixture.js';

const places = ['/sbin', '/usr/sbin'];
const [mke2fs, debugfs, e2fsck] = ['mke2fs', 'debugfs', 'e2fsck'].map((name) => programPath(name, ...places));
const missing = mke2fs && debugfs && e2fsck ? false : 'e2fsprogs is not installed';
const calls = nodeCalls();
const made = { uuid: new Uint8Array(16).fill(9), unixSeconds: 1e9 };
const PIECE = 4096;

function run(t: Test, program: string | undefined, ...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync(program ?? '', argv, { encoding: 'utf8' });
  t.equal(status, 0, `${argv.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** Writes to a disk what a raw file has otherwise, as the guest would have. */
async function bringOver(t: Test, image: string, before: Buffer, after: Buffer): Promise<void> {
  const disk = await openDisk(image, {}, calls);
  for (let at = 0; at < after.length; at += PIECE) {
    const piece = after.subarray(at, at + PIECE);
    if (!piece.equals(before.subarray(at, at + PIECE))) t.equal(await writeDisk(disk, at / 512, piece), 0);
  }
  await closeDisk(disk);
}

/** The disk as a raw file, which e2fsck finds nothing in. */
async function exported(t: Test, image: string, raw: string): Promise<void> {
  await promiseOf(
    convert(calls, { source: image, sourceFormat: 'vhd', target: raw, targetFormat: 'raw', ...made }),
  );
  run(t, e2fsck, '-fn', raw);
}

t.test('a file system lives through snapshot and coalesce', { skip: missing }, async (t) => {
  const directory = imageDirectory(t);
  const at = (name: string): string => path.join(directory, name);
  const files = at('files');
  mkdirSync(files);
  for (let index = 0; index < 30; index++)
    writeFileSync(path.join(files, `old${index}`), `${index}\n`.repeat(2000));
  writeFileSync(at('disk.raw'), '');
  truncateSync(at('disk.raw'), 16 << 20);
  run(t, mke2fs, '-q', '-t', 'ext4', '-d', files, at('disk.raw'));
  const first = readFileSync(at('disk.raw'));
  await promiseOf(
    convert(calls, {
      source: at('disk.raw'),
      sourceFormat: 'raw',
      target: at('base.vhd'),
      targetFormat: 'vhd',
      ...made,
    }),
  );
  await exported(t, at('base.vhd'), at('base.raw'));

  await promiseOf(
    snapshot(calls, {
      parent: at('base.vhd'),
      child: at('child.vhd'),
      ...made,
      uuid: new Uint8Array(16).fill(8),
    }),
  );
  writeFileSync(at('new'), 'new\n'.repeat(50_000));
  run(t, debugfs, '-w', '-R', `write ${at('new')} new`, at('disk.raw'));
  run(t, debugfs, '-w', '-R', 'rm old7', at('disk.raw'));
  await bringOver(t, at('child.vhd'), first, readFileSync(at('disk.raw')));
  await exported(t, at('child.vhd'), at('child.raw'));
  await exported(t, at('base.vhd'), at('base-again.raw'));
  t.ok(readFileSync(at('base-again.raw')).equals(first), 'the snapshot is as it was');

  await promiseOf(coalesce(calls, { child: at('child.vhd'), deleteChild: true }));
  await exported(t, at('base.vhd'), at('coalesced.raw'));
  t.ok(readFileSync(at('coalesced.raw')).equals(readFileSync(at('disk.raw'))));
  const listing = run(t, debugfs, '-R', 'ls -p', at('coalesced.raw'));
  t.match(listing, /\/new\//);
  t.notMatch(listing, /\/old7\//);
  t.equal(run(t, debugfs, '-R', 'cat old8', at('coalesced.raw')), '8\n'.repeat(2000));
});
