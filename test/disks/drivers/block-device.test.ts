// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/index.js';
import { skipped } from '../../programs.js';
import { diskWorld, pattern, readSectors, told, writeSectors } from './disk-world.js';

/** A loop device over a file, until the test has ended; or why there is none. */
function loopDevice(t: Test, content: Buffer): { device: string; path: string } | string {
  const directory = mkdtempSync(join(tmpdir(), 'loop-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'backing');
  writeFileSync(path, content);
  const made = spawnSync('losetup', ['--find', '--show', path], { encoding: 'utf8' });
  if (made.status !== 0) return `no loop device: ${made.error?.message ?? made.stderr.trim()}`;
  const device = made.stdout.trim();
  t.teardown(() => void execFileSync('losetup', ['--detach', device]));
  return { device, path };
}

t.test('a block device is read, written and flushed, and has one writer', async (t) => {
  const loop = loopDevice(t, pattern(2048, 1));
  if (typeof loop === 'string') {
    skipped(t, loop);
    return;
  }
  const world = diskWorld(t);
  const vbd = await world.open(`aio:${loop.device}`);
  t.equal(vbd.info.sectors, 2048);
  t.strictSame(await readSectors(vbd, 100, 8), pattern(2048, 1).subarray(100 * 512, 108 * 512));
  t.equal(await writeSectors(vbd, 2047, pattern(1, 5)), 0);
  t.equal(await told((done) => vbd.writeZeroes(0, 8, done)), 0);
  t.equal(await told((done) => vbd.flush(done)), 0);
  t.equal(await world.tryOpen(`aio:${loop.device}`), -errno.EBUSY);
  await world.open(`aio:${loop.device}`, { readOnly: true });
  await vbd.close();
  const bytes = readFileSync(loop.path);
  t.strictSame(bytes.subarray(2047 * 512), pattern(1, 5));
  t.ok(bytes.subarray(0, 4096).every((byte) => byte === 0));
});
