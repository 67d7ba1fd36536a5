// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { errno, NodeFileCalls } from '../../../src/posix/index.js';
import { Random } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';
import { skipped } from '../../programs.js';
import { Results } from '../bench.js';
import { diskWorld, type DiskWorld, pattern, readSectors, told, writeSectors } from './disk-world.js';
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
  return { world, vbd, path, blocks: () => statSync(path).blocks };
}

async function canHaveHoles(world: DiskWorld): Promise<boolean> {
  const fd = openSync(world.path('probe'), 'w+');
  const files = new NodeFileCalls(world.registry.completions);
  const result = await told((done) => files.punchHole(fd, 0, 4096, done));
  closeSync(fd);
  return result === 0;
}

t.test('a large discard frees its blocks, and touches nothing else', async (t) => {
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

t.test('a small discard changes nothing', async (t) => {
  const disk = await fullDisk(t);
  if (disk === undefined) return;
  t.equal(await told((done) => disk.vbd.discard(0, MIB_SECTORS - 1, done)), 0);
  t.ok(pattern(4 * MIB_SECTORS, 1).equals(await readSectors(disk.vbd, 0, 4 * MIB_SECTORS)));
});

t.test(
  'many small discards in a row give their blocks back, but for what was written in between',
  async (t) => {
    const disk = await fullDisk(t);
    if (disk === undefined) return;
    const { vbd, blocks } = disk;
    const before = blocks();
    const discard = (sector: number): Promise<number> => told((done) => vbd.discard(sector, 128, done));
    for (let sector = 0; sector < 2 * MIB_SECTORS; sector += 128) t.equal(await discard(sector), 0);
    t.equal(blocks(), before - 2 * MIB_SECTORS);
    for (let sector = 2 * MIB_SECTORS; sector < 3 * MIB_SECTORS; sector += 128) {
      t.equal(await discard(sector), 0);
      if (sector === 2 * MIB_SECTORS + 256) t.equal(await writeSectors(vbd, sector, pattern(128, 7)), 0);
    }
    t.equal(blocks(), before - 2 * MIB_SECTORS, 'on neither side of it is there enough');
    t.strictSame(await readSectors(vbd, 2 * MIB_SECTORS + 256, 128), pattern(128, 7));
    for (let sector = 3 * MIB_SECTORS; sector < 4 * MIB_SECTORS; sector += 128) {
      t.equal(await told((done) => vbd.writeZeroes(sector, 128, done)), 0);
    }
    t.equal(blocks(), before - 3 * MIB_SECTORS, 'zeroes join what was discarded before them');
    t.ok((await readSectors(vbd, 3 * MIB_SECTORS, MIB_SECTORS)).every((byte) => byte === 0));
    t.strictSame(await readSectors(vbd, 2 * MIB_SECTORS + 256, 128), pattern(128, 7));
  },
);

t.test(
  'what is not given up is never lost, whatever is discarded, zeroed and written beside it',
  async (t) => {
    const disk = await fullDisk(t);
    if (disk === undefined) return;
    const { vbd } = disk;
    const random = new Random(randomSeed(t));
    const sectors = 4 * MIB_SECTORS;
    const model = pattern(sectors, 1);
    /** Sectors that may hold anything. */
    const isFree = new Uint8Array(sectors);
    for (let round = 0; round < 25; round++) {
      const works = Array.from({ length: 1 + (random.word() % 12) }, (_, index) => {
        const length = 64 * (1 + (random.word() % 16));
        const sector = 64 * (random.word() % ((sectors - length) / 64));
        const bytes = Buffer.alloc(length * 512, 1 + ((round * 16 + index) % 255));
        const kind = random.word() % 4;
        isFree.fill(kind < 2 ? 1 : 0, sector, sector + length);
        model.set(kind === 2 ? Buffer.alloc(length * 512) : bytes, sector * 512);
        return told((done) => {
          if (kind < 2) vbd.discard(sector, length, done);
          else if (kind === 2) vbd.writeZeroes(sector, length, done);
          else vbd.queueWrite(sector, bytes, done);
        });
      });
      t.ok((await Promise.all(works)).every((result) => result === 0));
      const got = await readSectors(vbd, 0, sectors);
      const wrong = isFree.findIndex(
        (free, sector) =>
          free === 0 &&
          got.compare(model, sector * 512, (sector + 1) * 512, sector * 512, (sector + 1) * 512) !== 0,
      );
      if (wrong >= 0) t.fail(`round ${round}: sector ${wrong}`);
    }
  },
);

t.test('among several writers only what a single request discards is freed', async (t) => {
  const disk = await fullDisk(t);
  if (disk === undefined) return;
  await disk.vbd.close();
  const before = disk.blocks();
  const shared = await disk.world.open(`aio:${disk.path}`, { shared: true });
  for (let sector = 0; sector < 2 * MIB_SECTORS; sector += 128) {
    t.equal(await told((done) => shared.discard(sector, 128, done)), 0);
  }
  t.equal(disk.blocks(), before);
  t.equal(await told((done) => shared.discard(0, MIB_SECTORS, done)), 0);
  t.equal(disk.blocks(), before - MIB_SECTORS);
});

t.test('large zeroing frees blocks too, unless they must stay allocated', async (t) => {
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

t.test('it is reported where holes cannot be punched', async (t) => {
  const world = diskWorld(t);
  const { completions } = world.registry;
  const [missing, failing] = ['/nonexistent/fallocate', 'false'].map(
    (name) => new NodeFileCalls(completions, name),
  );
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(fd));
  for (const files of [missing, failing])
    t.equal(await told((done) => files?.punchHole(fd, 0, 1 << 20, done)), -errno.EOPNOTSUPP);
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

t.test('holes are punched one at a time; waiting ones that adjoin are merged', (t) => {
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

t.test('a hole that cannot be punched ends later and waiting ones', (t) => {
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

t.test('zeroes that failed never become part of a later hole', (t) => {
  const { script, results, discard, zero } = scripted();
  zero(0, 1024);
  script.answer('read 0+524288', -errno.EIO);
  discard(1024, 1024);
  t.strictSame(script.calls, []);
  t.strictSame(results.told, [-errno.EIO, 0]);
  t.end();
});

t.test('a write waits for a hole being punched at its place', (t) => {
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
