// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { programPath } from '../../../scripts/program-path.js';
import { dispatch } from '../../../src/cli/dispatch.js';
import { VHD_ERROR_KINDS, type VhdErrorKind } from '../../../src/disks/drivers/index.js';
import { imageDirectory } from '../../disks/drivers/vhd/fixture.js';
import { sampleNamed, samples, unpack } from '../../disks/drivers/vhd/samples.js';
import { captured, type Outcome } from '../captured-io.js';

const directory = imageDirectory(t);
const vhd = (...argv: string[]): Promise<Outcome> => captured(dispatch, ['vhd', ...argv]);
const statusOf = (kind: string): number => 10 + VHD_ERROR_KINDS.indexOf(kind as VhdErrorKind);
const inOwn = (name: string): string => {
  const own = path.join(directory, name);
  mkdirSync(own);
  return own;
};

t.test('check finds why each refused sample cannot be opened', async (t) => {
  for (const sample of samples) {
    const { name, expected } = sample;
    const file = unpack(sample, inOwn(`check-${name}`));
    const before = statSync(file);
    const { exitCode, stdout } = await vhd('check', file, '--bitmaps', '--json');
    const kind = expected.error ?? expected.openForWriting?.error;
    t.equal(exitCode, kind === undefined ? 0 : statusOf(kind), name);
    const { isUsable, findings } = JSON.parse(stdout) as { isUsable: boolean; findings: { kind: string }[] };
    t.equal(isUsable, kind === undefined, name);
    if (kind !== undefined)
      t.ok(
        findings.some((finding) => finding.kind === kind),
        `${name}: ${kind}`,
      );
    t.same(statSync(file).mtimeMs, before.mtimeMs, 'nothing is written');
  }
});

t.test('check warns of usable images with deviations', async (t) => {
  const warned: [sample: string, field: string][] = [
    ['footer-missing', 'footer'],
    ['footers-differ', 'footer copy'],
    ['batmap-checksum', 'batmap checksum'],
    ['synthetic-vhdlib', 'batmap'],
  ];
  for (const [name, field] of warned) {
    const file = unpack(sampleNamed(name), inOwn(`warn-${name}`));
    const { exitCode, stdout } = await vhd('check', file);
    t.equal(exitCode, 0);
    t.match(stdout, new RegExp(`^warning: ${file}: [a-z-]+: ${field}: `, 'm'));
    t.match(stdout, /\n1 checked, 0 errors, [12] warnings\n$/);
  }
});

t.test('info shows chains as a tree, and what is wrong with them', async (t) => {
  const own = inOwn('info');
  const leaf = unpack(sampleNamed('chain-2'), own);
  await vhd('snapshot', path.join(own, 'c2-base.vhd'), path.join(own, 'other.vhd'));
  const { stdout, exitCode } = await vhd('info', leaf, path.join(own, 'other.vhd'));
  t.equal(exitCode, 0);
  t.equal(
    stdout.replaceAll(`${own}/`, ''),
    [
      'c2-base.vhd  dynamic, 10.0 MiB, file 6.0 MiB, 3 of 5 blocks',
      '  c2-leaf.vhd  differencing, 10.0 MiB, file 6.0 MiB, 3 of 5 blocks',
      '  other.vhd  differencing, 10.0 MiB, file 5.0 KiB, 0 of 5 blocks',
      '',
    ].join('\n'),
  );
  const orphan = unpack(sampleNamed('parent-missing'), inOwn('orphan'));
  const broken = await vhd('info', orphan, '--json');
  t.equal(broken.exitCode, statusOf('parent-missing'));
  t.match(JSON.parse(broken.stdout), [
    {
      depth: 1,
      images: [{ kind: 'differencing', faults: [{ kind: 'parent-missing', field: 'parent locators' }] }],
    },
  ]);
  t.match(await vhd('info', path.join(own, 'none.vhd')), {
    exitCode: 1,
    stderr: /none.vhd: cannot open: No such file or directory/,
  });
});

t.test('a new image is not in a saved state', async (t) => {
  const own = inOwn('saved');
  const [base = '', child = '', copy = ''] = ['base', 'child', 'copy'].map((name) => path.join(own, name));
  await vhd('create', base, '10M');
  await vhd('snapshot', base, child, '--keep-empty');
  await vhd('convert', base, copy, '--to', 'vhd');
  for (const image of [base, child, copy]) {
    const footer = readFileSync(image).subarray(-512);
    t.notSame(footer.subarray(68, 84), Buffer.alloc(16), 'it has a uuid');
    t.same(footer.subarray(84), Buffer.alloc(512 - 84), 'what follows the uuid is zero');
  }
});

t.test('a chain of 25 images is long, which is noted', async (t) => {
  const own = inOwn('long');
  const at = (depth: number): string => path.join(own, `${depth}.vhd`);
  await vhd('create', at(1), '10M');
  for (let depth = 2; depth < 24; depth++) await vhd('snapshot', at(depth - 1), at(depth), '--keep-empty');
  t.match((await vhd('snapshot', at(23), at(24), '--keep-empty')).stdout, /, 24 images deep\n$/);
  t.match(
    (await vhd('snapshot', at(24), at(25), '--keep-empty')).stdout,
    /, 25 images deep\nthe chain is long: coalesce images that nobody needs\n$/,
  );
});

t.test('coalesce --json prints what became of each image', async (t) => {
  const own = inOwn('coalesced');
  const [parent = '', child = ''] = ['parent', 'child'].map((name) => path.join(own, name));
  await vhd('create', parent, '10M');
  await vhd('snapshot', parent, child, '--keep-empty');
  const { exitCode, stdout } = await vhd('coalesce', child, '--json');
  t.equal(exitCode, 0);
  t.same(JSON.parse(stdout), { child, parent, isStopped: false, relinked: [], isDeleted: false });
});

t.test('an image is not deleted by a link to it', async (t) => {
  const own = inOwn('link');
  const [base, child] = [path.join(own, 'base.vhd'), path.join(own, 'child.vhd')];
  const link = path.join(directory, 'link.vhd');
  await vhd('create', base, '1M');
  await vhd('snapshot', base, child);
  symlinkSync(child, link);
  const { exitCode, stderr } = await vhd('coalesce', '--delete', link);
  t.equal(exitCode, statusOf('unsupported'));
  t.match(stderr, 'link.vhd: unsupported: file name: it is a link, of which nothing but the link would be');
  t.ok(lstatSync(link).isSymbolicLink());
  t.equal((await vhd('coalesce', link)).exitCode, 0);
});

t.test('the life of an image, from create to repair', async (t) => {
  const own = inOwn('life');
  const at = (name: string): string => path.join(own, name);
  const raw = Buffer.concat([randomBytes(70_000), Buffer.alloc(5_000_000), randomBytes(3 * 512 + 200)]);
  writeFileSync(at('disk.raw'), raw);
  const disk = raw.subarray(0, raw.length - (raw.length % 512));
  const { stdout } = await vhd('convert', at('disk.raw'), at('base.vhd'));
  t.match(stdout, /\/base\.vhd: 4\.8 MiB, 7\d\.\d KiB of data\n$/);
  t.ok(statSync(at('base.vhd')).blocks * 512 < 200_000, 'zeroes take no room');
  t.match(await vhd('snapshot', at('base.vhd'), at('child.vhd')), { exitCode: 0, stdout: /2 images deep/ });
  const leaf = await vhd('snapshot', at('child.vhd'), at('leaf.vhd'), '--keep-empty', '--json');
  t.match(JSON.parse(leaf.stdout), { parent: at('child.vhd'), size: disk.length + 512, depth: 3 });
  t.match(await vhd('coalesce', at('child.vhd'), '--relink', at('leaf.vhd'), '--delete'), {
    exitCode: 0,
    stdout: [
      `${at('child.vhd')} is in ${at('base.vhd')}, and deleted`,
      `${at('leaf.vhd')} has ${at('base.vhd')} as its parent`,
      '',
    ].join('\n'),
  });
  const resized = await vhd('resize', at('leaf.vhd'), '1G', '--json');
  t.match(JSON.parse(resized.stdout), { image: at('leaf.vhd'), after: 2 ** 30, movedBlocks: Number });
  t.match(await vhd('check', at('leaf.vhd')), { exitCode: 0, stdout: '2 checked, 0 errors, 0 warnings\n' });
  t.match(await vhd('convert', at('leaf.vhd'), at('copy.raw'), '--to', 'raw'), { exitCode: 0 });
  const file = openSync(at('copy.raw'), 'r');
  const copy = Buffer.alloc(disk.length);
  t.equal(readSync(file, copy, 0, copy.length, 0), disk.length);
  closeSync(file);
  t.ok(copy.equals(disk));
  t.equal(statSync(at('copy.raw')).size, 2 ** 30);
  t.ok(statSync(at('copy.raw')).blocks * 512 < 200_000, 'zeroes take no room');
});

t.test(
  'create makes what qemu-img and libvhdi read',
  { skip: programPath('qemu-img') === undefined },
  async (t) => {
    const own = inOwn('others');
    const at = (name: string): string => path.join(own, name);
    writeFileSync(at('disk.raw'), Buffer.concat([randomBytes(3_000_000), Buffer.alloc(2 ** 22)]));
    const size = Math.ceil(statSync(at('disk.raw')).size / 512) * 512;
    for (const format of ['vhd', 'vhd-fixed']) {
      const file = at(`${format}.vhd`);
      t.match(await vhd('convert', at('disk.raw'), file, '--to', format), { exitCode: 0 });
      const compared = spawnSync('qemu-img', ['compare', '-f', 'raw', '-F', 'vpc', at('disk.raw'), file], {
        encoding: 'utf8',
      });
      t.match(compared.stdout, /Images are identical/, format);
      const info = spawnSync('qemu-img', ['info', '-f', 'vpc', '--output=json', file], { encoding: 'utf8' });
      t.match(JSON.parse(info.stdout), { 'virtual-size': size });
    }
    for (const argv of [['10M'], ['2T'], ['1M', '--block-size', '512K'], ['4M', '--max-size', '1G']]) {
      const file = at(`new-${argv.join('')}.vhd`);
      t.match(await vhd('create', file, ...argv), { exitCode: 0 });
      t.match(await vhd('check', file), { exitCode: 0, stdout: /1 checked, 0 errors, 0 warnings/ });
      if (programPath('vhdiinfo') === undefined) continue;
      const info = spawnSync('vhdiinfo', [file], { encoding: 'utf8' });
      t.match(info.stdout, /Disk type\s+: Dynamic/, argv.join(' '));
    }
  },
);

t.test('invalid command lines and unsuitable images are refused', async (t) => {
  const own = inOwn('refused');
  const file = path.join(own, 'a.vhd');
  await vhd('create', file, '4M');
  t.match(await vhd('create', file, '0'), { exitCode: 2, stderr: /invalid SIZE "0"/ });
  t.match(await vhd('create', file, '9T'), { exitCode: 2, stderr: /expected 1 to 8T/ });
  t.match(await vhd('create', file, '1M', '--block-size', '3K'), { exitCode: 2, stderr: /power of two/ });
  t.match(await vhd('info'), { exitCode: 2, stderr: /missing IMAGE/ });
  t.match(await vhd('create', file, '4M'), { exitCode: 1, stderr: /cannot create: File exists/ });
  t.match(await vhd('resize', file, '2M'), { exitCode: statusOf('unsupported'), stderr: /smaller image/ });
  t.match(await vhd('coalesce', file, '--json'), {
    exitCode: statusOf('unsupported'),
    stdout: /"kind":"unsupported"/,
  });
  const child = path.join(own, 'child.vhd');
  await vhd('snapshot', file, child);
  const other = inOwn('elsewhere');
  t.match(await vhd('check', child, '--parents', other), { exitCode: statusOf('parent-refused') });
  t.match(await vhd('check', child, '--parents', own), { exitCode: 0 });
});
