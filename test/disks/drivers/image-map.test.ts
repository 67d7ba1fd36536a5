// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, ftruncateSync, openSync, truncateSync, writeSync } from 'node:fs';
import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/index.js';
import { AioDriver } from '../../../src/disks/drivers/index.js';
import { HoleRanges } from '../../../src/disks/drivers/hole-ranges.js';
import { ImageMap, type ImageMapParts } from '../../../src/disks/drivers/image-map.js';
import type { BlockDevice, BlockStatusExtent } from '../../../src/disks/index.js';
import { holeReader } from '../../../src/posix/node/file-map.js';
import { NodeFileCalls } from '../../../src/posix/node/files.js';
import { succeeds } from '../../nbd/image-world.js';
import { hasPrograms, skipped } from '../../programs.js';
import { isInMemory } from '../../small-file-system.js';
import { Random } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';
import { diskWorld, pattern, readSectors, told, writeSectors } from './disk-world.js';
import { FileScript, scriptedDriver } from './file-script.js';

type Asked = Pick<BlockDevice, 'blockStatus'>;

/** What a disk says of a range, all of it: `data 0+8`. */
async function status(vbd: Asked, sector: number, sectors: number): Promise<string[]> {
  const told_: string[] = [];
  for (let at = sector; at < sector + sectors;) {
    const extents = await new Promise<readonly BlockStatusExtent[] | undefined>((resolve) => {
      vbd.blockStatus(at, sector + sectors - at, (result, found) =>
        resolve(result === 0 ? found : undefined),
      );
    });
    if (!extents || extents.length === 0) throw new Error('nothing is told');
    for (const extent of extents) {
      told_.push(`${extent.zero ? 'hole' : 'data'} ${at}+${extent.sectors}`);
      at += extent.sectors;
    }
  }
  return told_;
}

/** What a driver reports of a range, which it has to be where it is complete. */
function inWords(result: number, extents: readonly BlockStatusExtent[] = []): string {
  const kinds = extents.map(
    ({ zero, allocated, sectors }) => `${zero ? 'hole' : 'data'}${zero === allocated ? '?' : ''} ${sectors}`,
  );
  return result === 0 ? kinds.join(', ') : `error ${result}`;
}

/** What a driver by itself says, as far as it says it now. */
function saysNow(driver: AioDriver, sector: number, sectors: number): { kinds?: string } {
  const answer: { kinds?: string } = {};
  driver.blockStatus({ sector, sectors }, (result, extents) => {
    answer.kinds = inWords(result, extents);
  });
  return answer;
}

/** What a driver says at once to a read. */
function saysFast(driver: AioDriver, sector: number, sectors: number): string | undefined {
  let kinds: string | undefined;
  driver.blockStatusFast({ sector, sectors }, (result, extents) => {
    kinds = inWords(result, extents);
  });
  return kinds;
}

const write = (driver: AioDriver, sector: number, sectors: number): void =>
  driver.queueWrite({ sector, sectors, buffer: Buffer.alloc(sectors * 512, 1), complete: () => {} });

const WHERE = [
  { where: 'on a disk', large: false },
  { where: 'in memory', large: true },
];

/** Whether the holes of files can be read where `diskWorld` puts them. */
const canReadMaps = (t: Test, large: boolean): boolean =>
  large ? hasPrograms(t, 'perl') && isInMemory(t, '/dev/shm') : hasPrograms(t, 'filefrag');

const ALL_HOLE = [{ start: 0, end: Number.POSITIVE_INFINITY }];

t.test('holes in memory equal those of a naive map of sectors, whatever is added and removed', async (t) => {
  const random = new Random(randomSeed(t));
  const below = (limit: number): number => random.integer(0, limit - 1);
  for (let round = 0; round < 40; round++) {
    const naive = Array<boolean>(200).fill(false).fill(true, 20, 50);
    const holes = new HoleRanges([{ start: 20, end: 50 }]);
    for (let step = 0; step < 60; step++) {
      const sector = below(190);
      const sectors = 1 + below(below(4) === 0 ? 200 - sector : 10);
      const isHole = below(2) === 0;
      naive.fill(isHole, sector, sector + sectors);
      if (isHole) holes.add({ sector, sectors });
      else holes.remove({ sector, sectors });
      const from = below(199);
      const said = holes.extents({ sector: from, sectors: 200 - from });
      const sectorsSaid = said.flatMap(({ zero, sectors: count }) => Array<boolean>(count).fill(zero));
      const isSame = sectorsSaid.every((hole, index) => hole === naive[from + index]);
      const areJoined = said.every(({ zero }, index) => zero !== said[index + 1]?.zero);
      if (!isSame || !areJoined || sectorsSaid.length !== 200 - from) {
        t.same(sectorsSaid, naive.slice(from), `round ${round}, step ${step}`);
        t.ok(areJoined, 'neighbours differ');
        return;
      }
    }
  }
  t.pass('no step differs');
});

t.test('a map is read once, on demand, and kept up to date by changes', async (t) => {
  const { script, driver } = scriptedDriver();
  t.equal(saysNow(driver, 0, 8).kinds, undefined);
  const second = saysNow(driver, 100, 8);
  t.same(script.log, ['map']);
  script.onMap([{ start: 1000, end: Number.POSITIVE_INFINITY }]);
  t.equal(second.kinds, 'hole 8', 'those who waited are answered');
  t.equal(saysNow(driver, 0, 8).kinds, 'data 2, hole 6', 'of sectors that are holes in part');
  write(driver, 4, 2);
  t.equal(saysNow(driver, 0, 8).kinds, 'data 2, hole 2, data 2, hole 2', 'a write counts from its start');
  driver.discard({ sector: 0, sectors: 2048, complete: () => {} });
  t.equal(saysNow(driver, 4, 2).kinds, 'data 2', 'a hole that waits for a write is none yet');
  script.answer('write 2048+1024', 1024);
  t.equal(saysNow(driver, 4, 2).kinds, 'data 2');
  write(driver, 7, 1);
  script.answer('punch 0+2048', 0);
  t.equal(saysNow(driver, 4, 4).kinds, 'hole 3, data 1', 'what was written after it starts after it');
  t.same(
    script.log.filter((what) => what === 'map'),
    ['map'],
  );
});

t.test('ranges written while the map is read are data, even if the write began before', async (t) => {
  const { script, driver } = scriptedDriver();
  write(driver, 0, 8);
  const asked = saysNow(driver, 0, 32);
  script.answer('write 0+4096', 4096);
  write(driver, 16, 8);
  script.answer('write 8192+4096', 4096);
  script.onMap(ALL_HOLE);
  t.equal(asked.kinds, 'data 8, hole 8, data 8, hole 8');
});

t.test('zeroes that must stay allocated are data', async (t) => {
  const { script, driver } = scriptedDriver();
  saysNow(driver, 0, 8);
  script.onMap(ALL_HOLE);
  driver.writeZeroes({ sector: 0, sectors: 4, noHole: true, complete: () => {} });
  t.equal(saysNow(driver, 0, 8).kinds, 'data 4, hole 4');
});

t.test('without a map everything is data, and the reason is logged once', async (t) => {
  const lines: string[] = [];
  const script = new FileScript();
  const driver = new AioDriver('/image', {
    ...script.parts,
    logger: { log: (_, line) => void lines.push(line) },
  });
  driver.open({ readOnly: false, shared: false }, () => {});
  const asked = saysNow(driver, 0, 8);
  script.onMap('there is no program');
  t.equal(asked.kinds, 'data 8');
  t.equal(saysNow(driver, 0, 8).kinds, 'data 8');
  t.equal(saysFast(driver, 0, 8), 'data 8');
  t.same(lines, ['aio: /image: its holes are not shown: there is no program']);
});

t.test(
  'where others may write, a map is good while the file is unchanged and was so for a while',
  async (t) => {
    const script = new FileScript();
    const driver = new AioDriver('/image', script.parts);
    driver.open({ readOnly: true, shared: false }, () => {});
    const first = saysNow(driver, 0, 8);
    const late = saysNow(driver, 0, 8);
    script.onMap(ALL_HOLE);
    t.equal(first.kinds, 'hole 8');
    t.equal(late.kinds, undefined, 'who asked while it was read may know of a change that it does not show');
    script.changedSeconds = 99;
    script.onMap([]);
    t.equal(late.kinds, 'data 8');
    const changed = saysNow(driver, 0, 8);
    t.same(script.log, ['map', 'map', 'map'], 'it has changed since');
    script.onMap(ALL_HOLE);
    t.equal(changed.kinds, 'hole 8');
    t.equal(saysNow(driver, 0, 8).kinds, undefined, 'a change in the same moment would not show');
    script.onMap(ALL_HOLE);
    t.equal(script.log.length, 4);
  },
);

t.test('a map of an unchanged file is not read again', async (t) => {
  const script = new FileScript();
  const driver = new AioDriver('/image', script.parts);
  driver.open({ readOnly: true, shared: false }, () => {});
  saysNow(driver, 0, 8);
  script.onMap(ALL_HOLE);
  t.equal(saysNow(driver, 0, 8).kinds, 'hole 8');
  t.same(script.log, ['map']);
});

t.test('the only writer knows of all changes, and does not look at the time of change', async (t) => {
  const { script, driver } = scriptedDriver();
  saysNow(driver, 0, 8);
  script.onMap(ALL_HOLE);
  script.changedSeconds = 99;
  t.equal(saysNow(driver, 0, 8).kinds, 'hole 8');
  t.same(script.log, ['map']);
});

t.test('a map that cannot be read is not asked for again, whoever waited for it meanwhile', async (t) => {
  const { script, driver } = scriptedDriver(true);
  script.changedSeconds = 99;
  const [first, second] = [saysNow(driver, 0, 8), saysNow(driver, 8, 8)];
  script.onMap('no program');
  t.same([first.kinds, second.kinds], ['data 8', 'data 8']);
  t.equal(saysNow(driver, 0, 16).kinds, 'data 16');
  t.equal(saysFast(driver, 0, 16), 'data 16');
  t.same(script.log, ['map']);
});

t.test('without a way to read holes all is data', async (t) => {
  const { readHoles: _, ...parts } = new FileScript().parts;
  const driver = new AioDriver('/image', parts);
  driver.open({ readOnly: false, shared: false }, () => {});
  t.equal(saysNow(driver, 0, 8).kinds, '');
  t.equal(saysFast(driver, 0, 8), '');
});

t.test('a read does not wait for a map, and knows holes once it is there', async (t) => {
  const { script, driver } = scriptedDriver();
  t.equal(saysFast(driver, 0, 8), 'data 8');
  t.equal(saysFast(driver, 0, 8), 'data 8');
  t.same(script.log, ['map'], 'one map is read');
  const waits = saysNow(driver, 0, 8);
  write(driver, 4, 1);
  script.onMap(ALL_HOLE);
  t.equal(saysFast(driver, 0, 8), 'hole 4, data 1, hole 3');
  t.equal(waits.kinds, 'hole 4, data 1, hole 3');
});

t.test(
  'reads of a file that keeps changing start no program, and see no hole that may be filled',
  async (t) => {
    const script = new FileScript();
    const driver = new AioDriver('/image', script.parts);
    driver.open({ readOnly: true, shared: false }, () => {});
    for (script.changedSeconds = 98; script.changedSeconds < 100; script.changedSeconds += 0.5)
      t.equal(saysFast(driver, 0, 8), 'data 8');
    t.same(script.log, []);
    script.changedSeconds = 97;
    t.equal(saysFast(driver, 0, 8), 'data 8');
    t.equal(saysFast(driver, 0, 8), 'data 8');
    t.same(script.log, ['map'], 'it has settled');
    script.onMap(ALL_HOLE);
    t.equal(saysFast(driver, 0, 8), 'hole 8');
    script.changedSeconds = 99;
    t.equal(saysFast(driver, 0, 8), 'data 8', 'it has changed since');
    script.changedSeconds = 97.5;
    t.equal(saysFast(driver, 0, 8), 'data 8');
    script.changedSeconds = 99;
    script.onMap(ALL_HOLE);
    t.equal(saysFast(driver, 0, 8), 'data 8', 'it has changed while the map was read');
    t.same(script.log, ['map', 'map']);
  },
);

t.test('a file stays open while its map is read, though no request waits for that', async (t) => {
  const { script, driver } = scriptedDriver();
  saysFast(driver, 0, 8);
  const closed: number[] = [];
  driver.close((result) => closed.push(result));
  t.same(script.log, ['map']);
  script.onMap(ALL_HOLE);
  script.answer('fdatasync', 0);
  t.same(closed, [0]);
});

for (const { where, large } of WHERE) {
  t.test(`a sparse image ${where} shows its holes, and what is written and discarded`, async (t) => {
    if (!canReadMaps(t, large)) return;
    const world = diskWorld(t, { large });
    const path = world.path('sparse.img');
    const fd = openSync(path, 'w');
    ftruncateSync(fd, 64 << 20);
    writeSync(fd, Buffer.alloc(65_536, 1), 0, 65_536, 8 << 20);
    closeSync(fd);
    const vbd = await world.open(`aio:${path}`);
    const first = await status(vbd, 0, 131_072);
    if (first.length === 1 && !large) return void skipped(t, world.lines.at(-1) ?? 'no holes');
    t.same(first, ['hole 0+16384', 'data 16384+128', 'hole 16512+114560']);
    await writeSectors(vbd, 100, pattern(8, 1));
    t.same(await status(vbd, 96, 16), ['hole 96+4', 'data 100+8', 'hole 108+4']);
    await told((done) => vbd.discard(16_384, 2048, done));
    t.same(await status(vbd, 16_384, 2048), ['hole 16384+2048']);
    const readOnly = await world.open(`aio:${path}`, { readOnly: true });
    await writeSectors(vbd, 40_000, pattern(8, 1));
    t.match(await status(readOnly, 40_000, 8), ['data 40000+8'], 'another opening sees it at once');
    truncateSync(path, 64 << 20);
  });
}

t.test('what another process writes to mapped memory of a file in memory is in no hole', async (t) => {
  if (!hasPrograms(t, 'perl', 'python3') || !isInMemory(t, '/dev/shm')) return;
  const world = diskWorld(t, { large: true });
  const path = world.path('mapped.img');
  closeSync(openSync(path, 'w'));
  truncateSync(path, 1 << 20);
  const { completions } = world.registry;
  const driver = new AioDriver(path, {
    files: new NodeFileCalls(completions),
    lock: (_fd, _shared, done) => done(0),
    size: ({ size }, done) => done(size / 512),
    readHoles: holeReader(completions),
    wallSeconds: () => Date.now() / 1000 + 60,
    logger: world.server.logger,
  });
  await told((done) => driver.open({ readOnly: true, shared: false }, done));
  const asked: Asked = {
    blockStatus: (sector, sectors, done) => driver.blockStatus({ sector, sectors }, done),
  };
  t.same(await status(asked, 0, 2048), ['hole 0+2048']);
  const program = `import mmap
with open('${path}', 'r+b') as file, mmap.mmap(file.fileno(), 0) as memory: memory[409600] = 7`;
  await succeeds(t, 'python3', '-c', program);
  t.same(await status(asked, 0, 2048), ['hole 0+800', 'data 800+8', 'hole 808+1240']);
  await told((done) => driver.close(done));
});

t.test('at random, no sector with data is reported as a hole', async (t) => {
  const random = new Random(randomSeed(t));
  const below = (limit: number): number => random.integer(0, limit - 1);
  const world = diskWorld(t);
  const names = ['ram:8'];
  for (const { large } of WHERE) {
    if (!canReadMaps(t, large)) continue;
    const path = diskWorld(t, { large }).path('random.img');
    const fd = openSync(path, 'w');
    ftruncateSync(fd, 8 << 20);
    writeSync(fd, Buffer.alloc(10_000, 1), 0, 10_000, 123_456);
    closeSync(fd);
    names.push(`aio:${path}`);
  }
  const zeroes = Buffer.alloc(8 << 20);
  for (const name of names) {
    const vbd = await world.open(name);
    const changes: Promise<number>[] = [];
    let holes = 0;
    for (let step = 0; step < 40; step++) {
      const sectors = 1 + below(below(5) === 0 ? 8192 : 64);
      const sector = below(16_384 - sectors + 1);
      const kind = below(4);
      if (kind === 0) changes.push(writeSectors(vbd, sector, pattern(sectors, step)));
      else if (kind === 1) changes.push(told((done) => vbd.discard(sector, sectors, done)));
      else if (kind === 2) changes.push(told((done) => vbd.writeZeroes(sector, sectors, done)));
      if (below(6) === 0) await Promise.all(changes.splice(0));
      if (kind !== 3) continue;
      // Nothing changes between the two questions.
      await Promise.all(changes.splice(0));
      const said = await status(vbd, 0, 16_384);
      const bytes = await readSectors(vbd, 0, 16_384);
      for (const extent of said) {
        const [, what = '', at = 0, count = 0] = /^(\w+) (\d+)\+(\d+)$/.exec(extent) ?? [];
        if (what !== 'hole') continue;
        holes += Number(count);
        const shown = bytes.subarray(Number(at) * 512, (Number(at) + Number(count)) * 512);
        if (!shown.equals(zeroes.subarray(0, shown.length)))
          t.fail(`${name}, step ${step}: ${extent} is not zero`);
      }
    }
    await Promise.all(changes);
    t.ok(holes > 0 || world.lines.some((line) => line.includes('not shown')), `${name} shows holes`);
  }
});

t.test('a map during whose reading more than 65536 changes began is not taken', async (t) => {
  for (const [changes, expected] of [
    [65_536, 'data 1, hole 7'],
    [65_537, 'data 8'],
  ] as const) {
    const reasons: string[] = [];
    let holesFound: Parameters<ImageMapParts['readHoles']>[0] = () => {};
    const map = new ImageMap({
      readHoles: (done) => (holesFound = done),
      underWay: () => [],
      status: undefined,
      wallSeconds: () => 100,
      onUnknown: (reason) => reasons.push(reason),
    });
    const said: string[] = [];
    const asked = (): void =>
      map.blockStatus({ sector: 0, sectors: 8 }, (result, extents) => said.push(inWords(result, extents)));
    asked();
    for (let count = 0; count < changes; count++) map.filled({ sector: 0, sectors: 1 });
    holesFound(ALL_HOLE);
    asked();
    t.same(said, [expected, expected]);
    t.same(reasons, changes > 65_536 ? ['too much was written meanwhile'] : []);
  }
});

t.test('a hole stays one when it is zeroed, and where none could be made there is none', async (t) => {
  const { script, driver } = scriptedDriver();
  saysNow(driver, 0, 8);
  script.onMap([{ start: 0, end: 1 << 20 }]);
  const complete = (): void => {};
  driver.writeZeroes({ sector: 0, sectors: 4, noHole: false, complete });
  script.calls[0]?.buffer.fill(0);
  script.answer('read 0+2048', 2048);
  t.equal(saysNow(driver, 0, 8).kinds, 'hole 8');
  driver.discard({ sector: 4096, sectors: 2048, complete });
  script.answer('punch 4096+2048', -errno.EOPNOTSUPP);
  t.equal(saysNow(driver, 4096, 8).kinds, 'data 8');
});

t.test('of a hole only whole sectors are shown', async (t) => {
  const { script, driver } = scriptedDriver();
  saysNow(driver, 0, 8);
  script.onMap([
    { start: 100, end: 200 },
    { start: 500, end: 600 },
    { start: 1000, end: 1024 },
    { start: 1100, end: 2559 },
    { start: 2561, end: 3072 },
    { start: 3584, end: 4097 },
  ]);
  t.equal(saysNow(driver, 0, 10).kinds, 'data 3, hole 1, data 3, hole 1, data 2');
});
