// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { statSync } from 'node:fs';
import t, { type Test } from 'tap';
import { errno } from '../../src/posix/index.js';
import { driverTypes, logDriverType, ramDriverType } from '../../src/disks/drivers/index.js';
import type {
  BlockDevice,
  BlockStatusDone,
  BlockStatusExtent,
  Driver,
  SectorRange,
} from '../../src/disks/index.js';
import { allocationOf } from '../../src/nbd/block-status.js';
import type { NbdLimits } from '../../src/nbd/index.js';
import { pattern, writeSectors } from '../disks/drivers/disk-world.js';
import { ScriptedDisks } from '../disks/scripted-disks.js';
import { MIB, emptyImage, PROGRAMS_TIMEOUT_MS, succeeds } from './image-world.js';
import { nbdWorld, until } from './nbd-world.js';
import { isInMemory } from '../small-file-system.js';
import { hasPrograms, skipped } from '../programs.js';
import { type RawClient, contextRequest, option, request, u32, u64 } from './raw-client.js';

t.setTimeout(PROGRAMS_TIMEOUT_MS);

const READ = 0;
const WRITE_ZEROES = 6;
const BLOCK_STATUS = 7;
const DF = 4;
const REQ_ONE = 8;
const FAST_ZERO = 16;
const REP_ERR_INVALID = 0x80000003;
const REP_ERR_UNKNOWN = 0x80000006;

/** The extents of a BLOCK_STATUS's reply: length and flags. */
async function extents(raw: RawClient): Promise<number[][]> {
  const { flags, type, payload } = await raw.chunk();
  if (flags !== 1 || type !== 5 || payload.readUInt32BE(0) !== 1) throw new Error(`type ${type}`);
  const found: number[][] = [];
  for (let at = 4; at < payload.length; at += 8)
    found.push([payload.readUInt32BE(at), payload.readUInt32BE(at + 4)]);
  return found;
}

/** A disk of 1 MiB whose extents the test says. */
async function toldWorld(
  t: Test,
  tell: (range: SectorRange) => readonly BlockStatusExtent[] | number,
  limits: Partial<NbdLimits> = {},
) {
  const disks = new ScriptedDisks();
  disks.answerAtOnce = () => 0;
  const type = {
    ...disks.type,
    create: (...parts: Parameters<typeof disks.type.create>) =>
      Object.assign(disks.type.create(...parts), {
        blockStatus: (
          range: SectorRange,
          done: (result: number, found?: readonly BlockStatusExtent[]) => void,
        ) => {
          const found = tell(range);
          if (typeof found === 'number') done(found);
          else done(0, found);
        },
      }),
  };
  const world = nbdWorld(t, { types: driverTypes([type, ramDriverType]), limits });
  await world.open('scripted:disk');
  return { ...world, disks };
}

t.test('a disk that reports nothing is not asked again', async (t) => {
  let questions = 0;
  const blockStatus: BlockDevice['blockStatus'] = (_sector, _sectors, done) => {
    questions += 1;
    done(0, []);
  };
  const device = { blockStatus } as BlockDevice;
  const question = { device, offset: 0, length: 4096, one: false, post: (task: () => void) => task() };
  allocationOf(question, (...told) => t.same(told, [0, []]));
  t.equal(questions, 1);
});

t.test('the only context is listed, chosen, and replaced by the next choice', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  await world.open('ram:1');
  const raw = await world.raw().greet();
  const answers = async (): Promise<unknown[]> =>
    (await raw.replies()).map(({ type, data }) => (type === 4 ? data : type));
  raw.send(option(9, contextRequest('0')));
  t.same(await answers(), [REP_ERR_INVALID], 'structured replies come first');
  raw.send(option(8));
  await raw.reply();
  const listed = Buffer.concat([u32(0), Buffer.from('base:allocation')]);
  for (const queries of [[], ['base:'], ['base:allocation'], ['x:', 'base:allocation']]) {
    raw.send(option(9, contextRequest('0', ...queries)));
    t.same(await answers(), [listed, 1], `list ${queries.join(' ')}`);
  }
  for (const number of [9, 10]) {
    raw.send(option(number, contextRequest('0', 'qemu:dirty-bitmap:x')));
    t.same(await answers(), [1], 'others are not there');
    raw.send(option(number, contextRequest('7', 'base:allocation')));
    t.same(await answers(), [REP_ERR_UNKNOWN]);
    for (const data of [
      u32(1),
      u32(9),
      contextRequest('0', 'a').subarray(0, 10),
      Buffer.concat([contextRequest('0'), u32(1)]),
    ]) {
      raw.send(option(number, data));
      t.same(await answers(), [REP_ERR_INVALID]);
    }
  }
  raw.send(option(10, Buffer.concat([contextRequest('0', 'base:allocation'), Buffer.alloc(3)])));
  t.match((await raw.replies()).at(-1)?.data.toString(), /^3 bytes after the last query/);
  raw.send(option(10, contextRequest('0', 'base:allocation')));
  t.same(await answers(), [Buffer.concat([u32(1), Buffer.from('base:allocation')]), 1]);
  raw.send(option(10, contextRequest('0')));
  t.same(await answers(), [1]);
  raw.send(option(7, contextRequest('0').subarray(0, 7)));
  await raw.replies();
  raw.send(request(BLOCK_STATUS, { length: 512 }));
  t.match(await raw.chunk(), { type: 0x8001 }, 'nothing is chosen any more');
});

t.test('a context chosen for another export does not apply', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  await world.open('ram:1');
  const raw = await world.raw().greet();
  raw.send(option(8), option(10, contextRequest('1', 'base:allocation')));
  await raw.reply();
  await raw.replies();
  raw.send(option(7, contextRequest('0').subarray(0, 7)));
  await raw.replies();
  raw.send(request(BLOCK_STATUS, { length: 512 }));
  t.match(await raw.chunk(), { type: 0x8001 });
});

t.test('a disk in memory reports allocated ranges', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:4');
  await writeSectors(vbd, 2048, pattern(2, 1));
  const raw = await world.raw().go('0', { allocation: true });
  raw.send(request(BLOCK_STATUS, { length: 4 * MIB }));
  t.same(await extents(raw), [
    [MIB, 3],
    [MIB, 0],
    [2 * MIB, 3],
  ]);
  raw.send(request(BLOCK_STATUS, { flags: REQ_ONE, offset: 512n, length: 2 * MIB }));
  t.same(await extents(raw), [[MIB - 512, 3]]);
});

t.test(
  'a driver is queried until everything is known, its extents are joined, and errors are reported',
  async (t) => {
    let step = 0;
    const world = await toldWorld(t, ({ sector, sectors }) => {
      if (sector >= 1024) return -errno.EIO;
      step++;
      return [{ sectors: Math.min(sectors, 100), allocated: true, zero: step < 4 }];
    });
    const raw = await world.raw().go('0', { allocation: true });
    raw.send(request(BLOCK_STATUS, { length: 512 * 700 }));
    t.same(await extents(raw), [
      [300 * 512, 2],
      [400 * 512, 0],
    ]);
    raw.send(request(BLOCK_STATUS, { flags: REQ_ONE, length: 512 * 700 }));
    t.same(await extents(raw), [[700 * 512, 0]]);
    raw.send(request(BLOCK_STATUS, { offset: 512n * 1000n, length: 512 * 700 }));
    t.same(await extents(raw), [[100 * 512, 0]], 'what is known before an error');
    raw.send(request(BLOCK_STATUS, { offset: 512n * 1100n, length: 512 }));
    t.equal((await raw.chunk()).payload.readUInt32BE(0), 5);
  },
);

t.test('a reply has 1024 extents at most, and comes of 64 questions at most', async (t) => {
  let questions = 0;
  let perQuestion = 2048;
  const world = await toldWorld(t, ({ sector, sectors }) => {
    questions++;
    return Array.from({ length: Math.min(sectors, perQuestion) }, (_, index) => ({
      sectors: 1,
      allocated: true,
      zero: (sector + index) % 2 === 0,
    }));
  });
  const raw = await world.raw().go('0', { allocation: true });
  const ask = async (sectors: number, flags = 0): Promise<[extents: number, questions: number]> => {
    questions = 0;
    raw.send(request(BLOCK_STATUS, { flags, length: 512 * sectors }));
    return [(await extents(raw)).length, questions];
  };
  t.same(await ask(1024), [1024, 1]);
  t.same(await ask(1025), [1024, 1]);
  t.same(await ask(2, REQ_ONE), [1, 1]);
  perQuestion = 1;
  t.same(await ask(64), [64, 64]);
  t.same(await ask(65), [64, 64]);
  t.same(await ask(65, REQ_ONE), [1, 2], 'one is known to be whole when another begins');
  perQuestion = 16;
  t.same(await ask(1024), [1024, 64]);
  t.same(await ask(1025), [1024, 64]);
});

t.test('a disk that reports nothing is all data', async (t) => {
  const disks = new ScriptedDisks();
  disks.answerAtOnce = () => 0;
  const world = nbdWorld(t, { types: driverTypes([disks.type]) });
  await world.open('scripted:disk');
  const raw = await world.raw().go('0', { allocation: true });
  raw.send(request(BLOCK_STATUS, { length: MIB }));
  t.same(await extents(raw), [[MIB, 0]]);
});

t.test('READ reports holes as holes, unless the client requested a single chunk', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:3');
  await writeSectors(vbd, 2048, pattern(2048, 1));
  const raw = await world.raw().go('0', { structured: true });
  raw.send(request(READ, { offset: BigInt(MIB / 2), length: 2 * MIB }));
  t.match(await raw.chunk(), { flags: 0, type: 2, payload: Buffer.concat([u64(MIB / 2), u32(MIB / 2)]) });
  const { flags, type, payload } = await raw.chunk();
  t.match({ flags, type }, { flags: 0, type: 1 });
  t.ok(payload.equals(Buffer.concat([u64(MIB), pattern(2048, 1)])));
  t.match(await raw.chunk(), { flags: 1, type: 2, payload: Buffer.concat([u64(2 * MIB), u32(MIB / 2)]) });
  raw.send(request(READ, { flags: DF, length: MIB }));
  t.match(await raw.chunk(), { flags: 1, type: 1 });
  raw.send(request(READ, { length: 4096 }));
  t.match(await raw.chunk(), { flags: 1, type: 1 }, 'a small one is read');
  const simple = await world.raw().go('0');
  simple.send(request(READ, { length: MIB }));
  t.match(await simple.simple(), { error: 0 });
  t.ok((await simple.take(MIB)).equals(Buffer.alloc(MIB)));
});

t.test('READ uses what a driver knows at once, and only BLOCK_STATUS waits for more', async (t) => {
  const disks = new ScriptedDisks();
  disks.answerAtOnce = () => 0;
  let answer = (): void => {};
  const type = {
    ...disks.type,
    create: (...parts: Parameters<typeof disks.type.create>): Driver =>
      Object.assign(disks.type.create(...parts), {
        blockStatus: ({ sectors }: SectorRange, done: BlockStatusDone) => {
          answer = () => done(0, [{ sectors, allocated: true, zero: true }]);
        },
        blockStatusFast: ({ sectors }: SectorRange, done: BlockStatusDone) =>
          done(0, [{ sectors, allocated: false, zero: true }]),
      }),
  };
  const world = nbdWorld(t, { types: driverTypes([type, logDriverType]) });
  await world.open('log:|scripted:disk');
  const raw = await world.raw().go('0', { allocation: true });
  raw.send(request(BLOCK_STATUS, { length: MIB }), request(READ, { length: MIB }));
  t.match(await raw.chunk(), { flags: 1, type: 2 }, 'the read is answered first');
  answer();
  t.same(await extents(raw), [[MIB, 2]]);
  // A driver is asked from 32 KiB on.
  for (const [length, kind] of [
    [32 << 10, 2],
    [(32 << 10) - 512, 1],
  ] as const) {
    raw.send(request(READ, { length }));
    t.match(await raw.chunk(), { flags: 1, type: kind });
  }
});

t.test(
  'a READ in pieces of which one fails is an error, and many small holes are read like data',
  async (t) => {
    const kinds = (range: SectorRange): BlockStatusExtent[] =>
      Array.from({ length: range.sectors / 16 }, (_, index) => ({
        sectors: 16,
        allocated: index % 2 === 1,
        zero: index % 2 === 0,
      }));
    const world = await toldWorld(t, kinds);
    const raw = await world.raw().go('0', { structured: true });
    raw.send(request(READ, { length: MIB }));
    const chunks: Awaited<ReturnType<typeof raw.chunk>>[] = [];
    do chunks.push(await raw.chunk());
    while (chunks.at(-1)?.flags === 0);
    t.equal(chunks.length, 64);
    t.equal(
      chunks.reduce(
        (sum, { type, payload }) => sum + (type === 2 ? payload.readUInt32BE(8) : payload.length - 8),
        0,
      ),
      MIB,
    );
    world.disks.answerAtOnce = (what) =>
      what === 'read' && world.disks.log.at(-1) === 'read 48+16' ? -errno.EIO : 0;
    raw.send(request(READ, { length: MIB }));
    t.match(await raw.chunk(), { flags: 1, type: 0x8001 });
  },
);

t.test('a READ with holes takes memory for its data, and gives it back', async (t) => {
  const data = { sectors: 16, allocated: true, zero: false };
  const hole = { sectors: 16, allocated: false, zero: true };
  const limits = { maxBytesInFlight: 3 * 16 * 512 };
  const world = await toldWorld(t, () => [data, hole, data, hole], limits);
  const raw = await world.raw().go('0', { structured: true });
  for (let cookie = 0n; cookie < 8n; cookie++) {
    raw.send(request(READ, { cookie, length: 64 * 512 }));
    for (const [flags, type] of [
      [0, 1],
      [0, 2],
      [0, 1],
      [1, 2],
    ] as const)
      t.match(await raw.chunk(), { flags, type, cookie });
    t.ok(world.nbd.requestMemoryBytes >= 0);
  }
  await until(() => world.nbd.requestMemoryBytes === 0);
});

t.test('FAST_ZERO is refused at once where zeroing would be slow', async (t) => {
  const world = nbdWorld(t);
  emptyImage(world.path('disk.img'), 4);
  await world.open(`aio:${world.path('disk.img')}`);
  const raw = await world.raw().go('0');
  raw.send(request(WRITE_ZEROES, { flags: FAST_ZERO, length: 4096 }));
  t.match(await raw.simple(), { error: 95 });
  raw.send(request(WRITE_ZEROES, { length: 4096 }));
  t.match(await raw.simple(), { error: 0 });
  if (!hasPrograms(t, 'fallocate')) return;
  raw.send(request(WRITE_ZEROES, { flags: FAST_ZERO, length: 2 * MIB }));
  t.match(await raw.simple(), { error: 0 });
  t.notOk(world.lines.some((line) => line.includes('cannot write')));
});

for (const { where, large, program } of [
  { where: 'on a disk', large: false, program: 'filefrag' },
  { where: 'in memory', large: true, program: 'perl' },
]) {
  t.test(`programs see where an image ${where} is sparse, and copies of it are`, async (t) => {
    if (!hasPrograms(t, 'nbdinfo', 'nbdcopy', 'qemu-img', 'cmp', program)) return;
    if (large && !isInMemory(t, '/dev/shm')) return;
    const world = nbdWorld(t, { large });
    const [image, copy, converted] = [world.path('disk.img'), world.path('copy'), world.path('converted')];
    emptyImage(image, 64);
    const vbd = await world.open(`aio:${image}`);
    await writeSectors(vbd, 16_384, pattern(2048, 3));
    const map = JSON.parse(await succeeds(t, 'nbdinfo', '--map', '--json', world.uri('0'))) as object[];
    if (map.length === 1 && !large) return void skipped(t, world.lines.at(-1) ?? 'no holes');
    t.match(map, [
      { offset: 0, length: 8 * MIB, type: 3 },
      { offset: 8 * MIB, length: MIB, type: 0 },
      { offset: 9 * MIB, length: 55 * MIB, type: 3 },
    ]);
    const seen = JSON.parse(
      await succeeds(t, 'qemu-img', 'map', '--output=json', '-f', 'raw', world.uri('0')),
    ) as object[];
    t.match(seen, [
      { data: false, zero: true },
      { start: 8 * MIB, length: MIB, data: true },
      { data: false },
    ]);
    await succeeds(t, 'nbdcopy', world.uri('0'), copy);
    await succeeds(t, 'qemu-img', 'convert', '-f', 'raw', '-O', 'raw', world.uri('0'), converted);
    for (const file of [copy, converted]) {
      await succeeds(t, 'cmp', image, file);
      t.ok(statSync(file).blocks * 512 < 4 * MIB, `${file} is sparse`);
    }
    // And the other way round: what arrives as zeroes takes no space.
    emptyImage(image, 64);
    await vbd.close();
    const target = await world.open(`aio:${image}`);
    await writeSectors(target, 0, pattern(16_384, 4));
    await succeeds(t, 'nbdcopy', '--flush', copy, world.uri(String(target.minor)));
    await succeeds(t, 'cmp', image, copy);
    t.ok(statSync(image).blocks * 512 < 4 * MIB, 'the target is sparse');
  });
}

t.test('a client that connects after a resize sees the new size and its holes', async (t) => {
  const world = nbdWorld(t);
  emptyImage(world.path('disk.img'), 4);
  const vbd = await world.open(`aio:${world.path('disk.img')}`);
  const before = await world.raw().go('', { allocation: true });
  before.send(request(BLOCK_STATUS, { length: 4 * MIB }));
  const known = await extents(before);
  emptyImage(world.path('disk.img'), 8);
  await vbd.resize();
  t.equal((await world.client()).facts.size, 8 * MIB);
  const raw = await world.raw().go('', { allocation: true });
  raw.send(request(BLOCK_STATUS, { length: 8 * MIB }));
  const flags = known[0]?.[1] ?? -1;
  t.same(await extents(raw), [[8 * MIB, flags]]);
  before.send(request(READ, { offset: BigInt(7 * MIB), length: 512 }));
  t.equal((await before.chunk()).payload.length, 8 + 512);
});
