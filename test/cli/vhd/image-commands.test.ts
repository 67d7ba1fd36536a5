// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { statusOfKind } from '../../../src/cli/vhd/vhd-run.js';
import { imageDirectory } from '../../disks/drivers/vhd/fixture.js';
import { sampleNamed, unpack } from '../../disks/drivers/vhd/samples.js';
import { captured, type Outcome } from '../captured-io.js';

const directory = imageDirectory(t);
const vhd = (...argv: string[]): Promise<Outcome> => captured(dispatch, ['vhd', ...argv]);
const inOwn = (name: string): string => {
  const own = path.join(directory, name);
  mkdirSync(own);
  return own;
};

t.test('a fixed image has no block count, and resize reports the sizes', async (t) => {
  const image = path.join(inOwn('fixed'), 'fixed.vhd');
  t.match(await vhd('create', image, '10M', '--fixed'), { exitCode: 0 });
  const { stdout } = await vhd('info', image);
  t.equal(path.basename(stdout), 'fixed.vhd  fixed, 10.0 MiB, file 10.0 MiB\n');
  const described = path.join(inOwn('described'), 'fixed.vhd');
  const made = await vhd('create', described, '1M', '--fixed', '--json');
  t.same(JSON.parse(made.stdout), { image: described, size: 1 << 20 });
  const dynamic = path.join(inOwn('resized'), 'dynamic.vhd');
  await vhd('create', dynamic, '10M');
  t.equal((await vhd('resize', dynamic, '20M')).stdout, '10.0 MiB -> 20.0 MiB, 0 blocks moved\n');
});

t.test('a new image has the limits that it was given, or the usual ones', async (t) => {
  const own = inOwn('limits');
  const described = async (...argv: string[]): Promise<unknown> => {
    const image = path.join(own, `${argv.length}.vhd`);
    t.match(await vhd('create', image, '10M', ...argv), { exitCode: 0, stdout: '' });
    const { stdout } = await vhd('info', image, '--json');
    return (JSON.parse(stdout) as { images: unknown[] }[])[0]?.images[0];
  };
  t.match(await described(), { virtualSize: 10 << 20, blockSize: 2 << 20 });
  t.match(await described('--block-size', '512K'), { virtualSize: 10 << 20, blockSize: 512 << 10 });
  t.match(await described('--max-size', '8G', '--block-size=2M'), {
    maxFastSize: 8 * 2 ** 30,
  });
});

t.test('repair shows what it would do, and does it only with --write', async (t) => {
  const own = inOwn('repair');
  const file = unpack(sampleNamed('footer-missing'), own);
  const before = readFileSync(file);
  t.strictSame(await vhd('repair', file), {
    exitCode: 0,
    stdout: 'with --write: the footer at the end is written\n',
    stderr: '',
  });
  t.ok(readFileSync(file).equals(before));
  t.same(JSON.parse((await vhd('repair', file, '--json')).stdout), {
    image: file,
    isWritten: false,
    changes: ['the footer at the end is written'],
  });
  t.match(await vhd('repair', file, '--write'), { exitCode: 0 });
  t.match(await vhd('check', file), { stdout: '1 checked, 0 errors, 0 warnings\n' });
  t.match(await vhd('repair', file, '--write'), { stdout: 'nothing to repair\n' });
  const hopeless = unpack(sampleNamed('footer-both-bad'), own);
  t.match(await vhd('repair', hopeless, '--write'), {
    exitCode: statusOfKind('bad-footer'),
    stderr: /restore it from a backup/,
  });
  const batmap = unpack(sampleNamed('batmap-checksum'), own);
  t.match(await vhd('repair', batmap, '--write'), { stdout: 'the batmap is made empty\n' });
  t.match(await vhd('check', batmap), { stdout: '1 checked, 0 errors, 0 warnings\n' });
});

t.test('an image without a uuid gets one of 16 bytes', async (t) => {
  const file = path.join(inOwn('nameless'), 'a.vhd');
  await vhd('create', file, '10M');
  const bytes = readFileSync(file);
  for (const footer of [bytes.subarray(0, 512), bytes.subarray(-512)]) {
    const lost = footer.subarray(68, 84).reduce((sum, byte) => sum + byte, 0);
    footer.fill(0, 68, 84);
    footer.writeUInt32BE(footer.readUInt32BE(64) + lost, 64);
  }
  writeFileSync(file, bytes);
  t.match(
    (await vhd('repair', file)).stdout,
    /^with --write: the image gets the uuid [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/m,
  );
});
