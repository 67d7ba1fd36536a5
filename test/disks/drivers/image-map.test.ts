// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, ftruncateSync, openSync, truncateSync, writeSync } from 'node:fs';
import t from 'tap';
import { AioDriver } from '../../../src/disks/drivers/index.js';
import { HoleRanges } from '../../../src/disks/drivers/hole-ranges.js';
import type { BlockDevice, BlockStatusExtent } from '../../../src/disks/index.js';
import { ExtentLines, MAX_EXTENTS } from '../../../src/posix/node/extent-lines.js';
import { readHoles } from '../../../src/posix/node/file-map.js';
import { hasPrograms } from '../../nbd/programs.js';
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
      vbd.blockStatus(at, sector + sectors - at, (_, found) => resolve(found));
    });
    if (!extents || extents.length === 0) throw new Error('nothing is told');
    for (const extent of extents) {
      told_.push(`${extent.zero ? 'hole' : 'data'} ${at}+${extent.sectors}`);
      at += extent.sectors;
    }
  }
  return told_;
}

/** What a driver by itself says, as far as it says it now. */
function saysNow(driver: AioDriver, sector: number, sectors: number): { kinds?: string } {
  const answer: { kinds?: string } = {};
  driver.blockStatus({ sector, sectors }, (_, extents) => {
    answer.kinds =
      extents?.map(({ zero, sectors: count }) => `${zero ? 'hole' : 'data'} ${count}`).join(', ') ??
      'nothing';
  });
  return answer;
}

const write = (driver: AioDriver, sector: number, sectors: number): void =>
  driver.queueWrite({ sector, sectors, buffer: Buffer.alloc(sectors * 512, 1), complete: () => {} });

const ALL_HOLE = [{ start: 0, end: Number.POSITIVE_INFINITY }];

t.test('holes in memory are what a naive map of sectors says, whatever is added and removed', async (t) => {
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

t.test('a map is read when it is asked for, once, and kept while changes go on', async (t) => {
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

t.test('what is written while the map is read is data, also what began before', async (t) => {
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

const HEADER = 'Filesystem type is: ef53\nFile size of x is 9 (9 blocks of 1 bytes)\n ext: logical\n';
const LINE = '   0:   4096..  8191: 268975972352..268975976447:   4096:     499712: last\n';

t.test('what filefrag says is understood to the last character, or not used', async (t) => {
  const holes = (text: string): unknown => {
    const lines = new ExtentLines();
    for (const character of text) lines.take(character);
    return lines.holes();
  };
  const whole = [
    { start: 0, end: 4096 },
    { start: 8192, end: Number.POSITIVE_INFINITY },
  ];
  t.same(holes(`${HEADER}${LINE}x: 1 extent found\n`), whole);
  t.same(holes(`${HEADER}x: 0 extents found\n`), ALL_HOLE);
  const eof = LINE.replace('last', 'unwritten,last,eof');
  t.same(holes(`${HEADER}${eof}x: 1 extent found\n`), whole);
  for (const wrong of [
    '',
    HEADER,
    `${HEADER}${LINE}`,
    `${HEADER}${LINE}x: 1 extent found`,
    `${HEADER}${LINE.replace('last', '')}x: 1 extent found\n`,
    `${HEADER}x: 1 extent found\n`,
    `${HEADER}${LINE}${LINE}x: 1 extent found\n`,
    `${HEADER}${LINE.replace('8191', '4095')}x: 1 extent found\n`,
    `${HEADER}${LINE.replace('   0:', '   1:')}x: 1 extent found\n`,
    `${HEADER}Discontinued\n${LINE}x: 1 extent found\n`,
    'y'.repeat(9000),
  ]) {
    t.type(holes(wrong), 'string', JSON.stringify(wrong.slice(-60)));
  }
});

t.test('after too many extents all is data', async (t) => {
  const lines = new ExtentLines();
  for (let index = 0; index < MAX_EXTENTS; index++) {
    const start = index * 8192;
    const more = lines.take(`${index}: ${start}..${start + 4095}: 5..6: 4096: 7:\n`);
    if (more !== index + 1 < MAX_EXTENTS) throw new Error(`wants more after ${index}: ${more}`);
  }
  const holes = lines.holes();
  if (typeof holes === 'string') throw new Error(holes);
  t.equal(holes.length, MAX_EXTENTS - 1);
  t.same(holes.at(-1), { start: (MAX_EXTENTS - 2) * 8192 + 4096, end: (MAX_EXTENTS - 1) * 8192 });
});

t.test('a program that is missing, fails or takes too long makes no map', async (t) => {
  const world = diskWorld(t);
  const fd = openSync(world.path('file'), 'w');
  t.teardown(() => closeSync(fd));
  const reason = (program: string, seconds: number): Promise<unknown> =>
    new Promise((resolve) => {
      readHoles(world.registry.completions, fd, resolve, program, seconds);
    });
  t.match(await reason('/nowhere/filefrag', 9), /does not start/);
  t.match(await reason('false', 9), /status 1/);
  const slow = world.path('slow');
  const script = openSync(slow, 'w', 0o755);
  writeSync(script, '#!/bin/sh\nsleep 60\n');
  closeSync(script);
  t.match(await reason(slow, 0.05), /was not done within/);
});

t.test('a sparse image shows its holes, and what is written and discarded', async (t) => {
  if (!hasPrograms(t, 'filefrag')) return;
  const world = diskWorld(t);
  const path = world.path('sparse.img');
  const fd = openSync(path, 'w');
  ftruncateSync(fd, 64 << 20);
  writeSync(fd, Buffer.alloc(65_536, 1), 0, 65_536, 8 << 20);
  closeSync(fd);
  const vbd = await world.open(`aio:${path}`);
  const first = await status(vbd, 0, 131_072);
  if (first.length === 1)
    return void t.pass('no FIEMAP in this file system', { skip: world.lines.at(-1) ?? '' });
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

t.test('no sector that is not zero is shown as a hole, at random', async (t) => {
  if (!hasPrograms(t, 'filefrag')) return;
  const random = new Random(randomSeed(t));
  const below = (limit: number): number => random.integer(0, limit - 1);
  const world = diskWorld(t);
  for (const name of [`aio:${world.path('random.img')}`, 'ram:8']) {
    const fd = openSync(world.path('random.img'), 'w');
    ftruncateSync(fd, 8 << 20);
    writeSync(fd, Buffer.alloc(10_000, 1), 0, 10_000, 123_456);
    closeSync(fd);
    const vbd = await world.open(name);
    const changes: Promise<number>[] = [];
    let holes = 0;
    for (let step = 0; step < 80; step++) {
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
        if (shown.some((byte) => byte !== 0)) t.fail(`${name}, step ${step}: ${extent} is not zero`);
      }
    }
    await Promise.all(changes);
    t.ok(holes > 0 || world.lines.some((line) => line.includes('not shown')), `${name} shows holes`);
  }
});
