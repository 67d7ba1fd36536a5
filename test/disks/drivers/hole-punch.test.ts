// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/index.js';
import { holePuncher } from '../../../src/disks/drivers/index.js';
import { skipped } from '../../nbd/programs.js';
import { Results } from '../bench.js';
import { diskWorld, pattern, readSectors, told, writeSectors } from './disk-world.js';
import type { DiskWorld } from './disk-world.js';
import { scriptedDriver } from './file-script.js';

const MIB_SECTORS = 2048;

/** A disk of 4 MiB without a zero in it, in a file whose blocks are all there; undefined where files cannot have holes. */
async function fullDisk(t: Test) {
  const world = diskWorld(t);
  if (!(await canHaveHoles(world))) {
    skipped(t, 'no fallocate(1), or a file system without holes');
    return undefined;
  }
  const path = world.path('full.img');
  writeFileSync(path, pattern(4 * MIB_SECTORS, 1));
  const vbd = await world.open(`aio:${path}`);
  return { vbd, path, blocks: () => statSync(path).blocks };
}

async function canHaveHoles(world: DiskWorld): Promise<boolean> {
  const fd = openSync(world.path('probe'), 'w+');
  const punch = holePuncher(world.registry.completions);
  const result = await told((done) => punch(fd, { sector: 0, sectors: 8 }, done));
  closeSync(fd);
  return result === 0;
}

t.test('a discard of much gives its blocks back, and touches nothing else', async (t) => {
  const disk = await fullDisk(t);
  if (disk === undefined) return;
  const { vbd, blocks } = disk;
  const before = blocks();
  t.equal(await told((done) => vbd.discard(MIB_SECTORS, 2 * MIB_SECTORS, done)), 0);
  t.equal(blocks(), before - 2 * MIB_SECTORS);
  const whole = pattern(4 * MIB_SECTORS, 1).fill(0, MIB_SECTORS * 512, 3 * MIB_SECTORS * 512);
  t.ok(whole.equals(await readSectors(vbd, 0, 4 * MIB_SECTORS)));
  t.equal(await writeSectors(vbd, MIB_SECTORS, pattern(8, 2)), 0, 'and can be written to again');
  t.strictSame(await readSectors(vbd, MIB_SECTORS, 8), pattern(8, 2));
});

t.test('a discard of little changes nothing', async (t) => {
  const disk = await fullDisk(t);
  if (disk === undefined) return;
  t.equal(await told((done) => disk.vbd.discard(0, MIB_SECTORS - 1, done)), 0);
  t.ok(pattern(4 * MIB_SECTORS, 1).equals(await readSectors(disk.vbd, 0, 4 * MIB_SECTORS)));
});

t.test('zeroing much gives the blocks back too, unless they are to stay', async (t) => {
  const disk = await fullDisk(t);
  if (disk === undefined) return;
  const { vbd, blocks } = disk;
  const before = blocks();
  t.equal(await told((done) => vbd.writeZeroes(1, 2 * MIB_SECTORS, done)), 0);
  t.ok(blocks() <= before - 2 * MIB_SECTORS + 16, `${before} blocks, and ${blocks()} after`);
  const whole = pattern(4 * MIB_SECTORS, 1).fill(0, 512, (2 * MIB_SECTORS + 1) * 512);
  t.ok(whole.equals(await readSectors(vbd, 0, 4 * MIB_SECTORS)));
  const kept = blocks();
  t.equal(await told((done) => vbd.writeZeroes(3 * MIB_SECTORS, MIB_SECTORS, done, { noHole: true })), 0);
  t.equal(blocks(), kept);
});

t.test('where holes cannot be made it is told', async (t) => {
  const world = diskWorld(t);
  const { completions } = world.registry;
  const [missing, failing] = ['/nonexistent/fallocate', 'false'].map((name) =>
    holePuncher(completions, name),
  );
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(fd));
  const range = { sector: 0, sectors: MIB_SECTORS };
  t.equal(await told((done) => missing?.(fd, range, done)), -errno.EOPNOTSUPP);
  t.equal(await told((done) => failing?.(fd, range, done)), -errno.EOPNOTSUPP);
});

/** A driver over scripted calls. */
function scripted() {
  const { script, driver } = scriptedDriver();
  const results = new Results();
  const complete = results.done;
  return {
    script,
    results,
    discard: (sector: number, sectors: number) => driver.discard({ sector, sectors, complete }),
    zero: (sector: number, sectors: number) =>
      driver.writeZeroes({ sector, sectors, noHole: false, complete }),
    write: (sector: number) => driver.queueWrite({ sector, sectors: 1, buffer: Buffer.alloc(512), complete }),
  };
}

t.test('holes are made one at a time; those that wait and adjoin are one', (t) => {
  const { script, results, discard } = scripted();
  discard(0, 2048);
  discard(8192, 2048);
  discard(4096, 2048);
  discard(2048, 2048);
  t.strictSame(script.log, ['punch 0+2048']);
  script.answer('punch 0+2048', 0);
  script.answer('punch 2048+4096', 0);
  t.equal(results.told.length, 3);
  script.answer('punch 8192+2048', 0);
  t.strictSame(results.told, [0, 0, 0, 0]);
  t.end();
});

t.test('a hole that cannot be made ends those that were to come after it, and those that wait', (t) => {
  const { script, results, discard } = scripted();
  discard(0, 2048);
  discard(8192, 2048);
  discard(16_384, 2048);
  script.answer('punch 0+2048', 0);
  discard(32_768, 2048);
  t.strictSame(results.told, [0]);
  script.answer('punch 8192+2048', -errno.EOPNOTSUPP);
  t.strictSame(results.told, [0, 0, 0, 0]);
  t.strictSame(script.calls, []);
  t.end();
});

t.test('a write waits for the hole that is made where it goes', (t) => {
  const { script, write, discard } = scripted();
  discard(0, 2048);
  write(2047);
  write(2048);
  t.strictSame(script.log, ['punch 0+2048', `write ${2048 * 512}+512`]);
  script.answer('punch 0+2048', 0);
  t.strictSame(script.log.slice(2), [`write ${2047 * 512}+512`]);
  t.end();
});

t.test(
  'when a hole could not be made no more are tried: discards change nothing, zeroes are written',
  (t) => {
    const { script, results, discard, zero } = scripted();
    discard(0, 2048);
    discard(2048, 2048);
    zero(8192, 2048);
    script.answer('punch 0+2048', -errno.EOPNOTSUPP);
    t.strictSame(results.told, [0, 0]);
    t.strictSame(script.log.slice(1), [`read ${8192 * 512}+${2048 * 512}`], 'but not over zeroes');
    script.calls[0]?.buffer.fill(0);
    script.answer(`read ${8192 * 512}+${2048 * 512}`, 2048 * 512);
    discard(0, 2048);
    t.strictSame(results.told, [0, 0, 0, 0]);
    t.end();
  },
);
