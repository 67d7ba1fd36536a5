// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { errno } from '../../src/posix/index.js';
import type { BlockStatusDone, DiskDriverType, SectorRange, ZeroesRequest } from '../../src/disks/index.js';
import { driverTypes, ramDriverType } from '../../src/disks/drivers/index.js';
import { pattern, readSectors, resultOf, writeSectors } from '../disks/drivers/disk-world.js';
import { ScriptedDisks, type ScriptedOptions } from '../disks/scripted-disks.js';
import { nbdWorld, type NbdWorld, type NbdWorldOptions, until } from './nbd-world.js';
import { request, u16, u32, u64 } from './raw-client.js';

const READ = 0;
const WRITE = 1;
const DISC = 2;
const FLUSH = 3;
const TRIM = 4;
const CACHE = 5;
const WRITE_ZEROES = 6;
const FUA = 1;
const NO_HOLE = 2;
const DF = 4;
const FAST_ZERO = 16;

const EPERM = 1;
const EINVAL = 22;
const ENOSPC = 28;
const ENOTSUP = 95;
const ESHUTDOWN = 108;

interface ScriptedWorld extends NbdWorld {
  readonly disks: ScriptedDisks;
}

/** A world with one disk of 1 MiB, whose requests the test answers. */
async function scriptedWorld(
  t: Test,
  { disk = {}, ...options }: NbdWorldOptions & { disk?: ScriptedOptions } = {},
): Promise<ScriptedWorld> {
  const disks = new ScriptedDisks(disk);
  const world = nbdWorld(t, { ...options, types: driverTypes([disks.type, ramDriverType]) });
  disks.answerAtOnce = (what) => (/^(open|close)/.test(what) ? 0 : undefined);
  await world.open('scripted:disk');
  disks.log.length = 0;
  return { ...world, disks };
}

t.test('READ is answered with the data, under the request’s cookie', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:1');
  await writeSectors(vbd, 2, pattern(4, 1));
  const raw = await world.raw().go();
  raw.send(request(READ, { cookie: 0xfedcba9876543210n, offset: 1024n, length: 2048 }));
  t.strictSame(await raw.simple(), { error: 0, cookie: 0xfedcba9876543210n });
  t.strictSame(await raw.take(2048), pattern(4, 1));
});

t.test('with structured replies READ is answered with one chunk of data, at its offset', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:1');
  await writeSectors(vbd, 2, pattern(4, 1));
  const raw = await world.raw().go('', { structured: true });
  raw.send(request(READ, { flags: DF, cookie: 7n, offset: 1024n, length: 2048 }));
  const payload = Buffer.concat([u64(1024), pattern(4, 1)]);
  t.strictSame(await raw.chunk(), { flags: 1, type: 1, cookie: 7n, payload });
  raw.send(request(READ, { cookie: 9n, offset: 1n << 20n, length: 512 }));
  const error = Buffer.concat([u32(EINVAL), u16(6), Buffer.from('EINVAL')]);
  t.strictSame(await raw.chunk(), { flags: 1, type: 0x8001, cookie: 9n, payload: error });
  raw.send(request(FLUSH, { cookie: 10n }));
  t.strictSame(await raw.simple(), { error: 0, cookie: 10n }, 'what has no data is answered simply');
});

t.test('WRITE, WRITE_ZEROES, TRIM, CACHE and FLUSH reach the disk with their ranges', async (t) => {
  const world = await scriptedWorld(t, { disk: { canDiscard: true, canZero: true } });
  const raw = await world.raw().go();
  raw.send(
    request(WRITE, { cookie: 1n, offset: 512n, length: 1024, data: pattern(2, 1) }),
    request(WRITE_ZEROES, { cookie: 2n, offset: 4096n, length: 512 }),
    request(TRIM, { cookie: 3n, offset: 8192n, length: 1024 }),
    request(CACHE, { cookie: 4n, offset: 0n, length: 1 << 20 }),
    request(FLUSH, { cookie: 5n }),
  );
  await until(() => world.disks.calls.length === 5);
  t.strictSame(world.disks.log, ['write 1+2', 'zeroes 8+1', 'discard 16+2', 'read 0+512', 'flush']);
  t.strictSame(world.disks.calls[0]!.buffer, pattern(2, 1));
  world.disks.answer('write');
  world.disks.answer('zeroes', -errno.ENOSPC);
  world.disks.answer('discard', -errno.EIO);
  for (let piece = 0; piece < 4; piece++) {
    const flush = world.disks.calls.findIndex(({ what }) => what === 'flush');
    if (flush >= 0) world.disks.calls.splice(flush, 1)[0]!.answer(0);
    world.disks.answer('read');
  }
  const errors = new Map<bigint, number>();
  for (let count = 0; count < 5; count++) {
    const { cookie, error } = await raw.simple();
    errors.set(cookie, error);
  }
  t.strictSame(
    [1n, 2n, 3n, 4n, 5n].map((cookie) => errors.get(cookie)),
    [0, ENOSPC, 5, 0, 0],
  );
});

t.test('a FUA request is answered once its change is flushed', async (t) => {
  const world = await scriptedWorld(t, { disk: { canDiscard: true, canZero: true } });
  const raw = await world.raw().go();
  raw.send(
    request(WRITE, { flags: FUA, cookie: 1n, length: 512, data: Buffer.alloc(512) }),
    request(TRIM, { flags: FUA, cookie: 2n, offset: 512n, length: 512 }),
    request(WRITE_ZEROES, { flags: FUA | NO_HOLE, cookie: 3n, offset: 1024n, length: 512 }),
    request(READ, { flags: FUA, cookie: 4n, offset: 2048n, length: 512 }),
  );
  await until(() => world.disks.calls.length === 4);
  for (const what of ['write', 'discard', 'zeroes', 'read']) world.disks.answer(what);
  t.match(await raw.simple(), { cookie: 4n }, 'a read has nothing to flush');
  await raw.take(512);
  t.strictSame(world.disks.log.slice(4), ['flush', 'flush', 'flush']);
  for (const cookie of [1n, 2n, 3n]) {
    world.disks.answer('flush');
    t.strictSame(await raw.simple(), { cookie, error: 0 });
  }
});

t.test('an invalid request gets its error, and has no effect', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  const end = 1n << 20n;
  const wrong: [string, number, Parameters<typeof request>[1], number][] = [
    ['a read past the end', READ, { offset: end - 512n, length: 1024 }, EINVAL],
    ['a read far past the end', READ, { offset: 0xffffffffffffffffn - 511n, length: 512 }, EINVAL],
    ['a read of too much', READ, { length: (32 << 20) + 512 }, EINVAL],
    ['a read of nothing', READ, { offset: 512n }, EINVAL],
    ['a read of one byte past the end', READ, { offset: end, length: 1 }, EINVAL],
    ['a write past the end', WRITE, { offset: end, length: 512, data: Buffer.alloc(512) }, ENOSPC],
    ['a write of one byte past the end', WRITE, { offset: end, length: 1, data: Buffer.alloc(1) }, ENOSPC],
    [
      'a write of too much',
      WRITE,
      { length: (32 << 20) + 512, data: Buffer.alloc((32 << 20) + 512) },
      EINVAL,
    ],
    ['zeroes past the end', WRITE_ZEROES, { offset: 512n, length: 1 << 20 }, ENOSPC],
    ['a trim where the disk cannot', TRIM, { length: 512 }, EINVAL],
    ['a cache past the end', CACHE, { offset: end, length: 512 }, EINVAL],
    ['a flush with a range', FLUSH, { length: 512 }, EINVAL],
    ['an unknown command', 9, {}, EINVAL],
    ['block status, without a context', 7, { length: 512 }, EINVAL],
    ['DF without structured replies', READ, { flags: DF, length: 512 }, EINVAL],
    ['an unknown flag', READ, { flags: 0x8000, length: 512 }, EINVAL],
    ['NO_HOLE of a write', WRITE, { flags: NO_HOLE, length: 512, data: Buffer.alloc(512) }, EINVAL],
  ];
  for (const [what, command, parts, error] of wrong) {
    raw.send(request(command, { ...parts, cookie: 77n }));
    t.strictSame(await raw.simple(), { error, cookie: 77n }, what);
  }
  t.strictSame(world.disks.log, []);
});

t.test('an empty request has no effect', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  for (const command of [WRITE, WRITE_ZEROES, CACHE]) {
    raw.send(request(command, { cookie: 3n, offset: 512n }));
    t.strictSame(await raw.simple(), { error: 0, cookie: 3n });
  }
  t.strictSame(world.disks.log, []);
});

t.test('a read-only disk fails changes with EPERM', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1', { readOnly: true });
  const raw = await world.raw().go();
  raw.send(request(WRITE, { length: 512, data: Buffer.alloc(512) }));
  t.match(await raw.simple(), { error: EPERM });
  for (const command of [TRIM, WRITE_ZEROES]) {
    raw.send(request(command, { length: 512 }));
    t.match(await raw.simple(), { error: EPERM });
  }
  for (const command of [CACHE, FLUSH]) {
    raw.send(request(command, { length: command === FLUSH ? 0 : 512 }));
    t.match(await raw.simple(), { error: 0 }, 'and nothing else');
  }
  raw.send(request(READ, { length: 512 }));
  t.match(await raw.simple(), { error: 0 });
});

t.test('a disk’s errors become the protocol’s', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  const errors: [number, number][] = [
    [errno.EROFS, EPERM],
    [errno.EACCES, EPERM],
    [errno.ENOMEM, 12],
    [errno.ENOSPC, ENOSPC],
    [errno.EDQUOT, ENOSPC],
    [errno.EFBIG, ENOSPC],
    [errno.EOPNOTSUPP, ENOTSUP],
    [errno.EIO, 5],
    [errno.ESTALE, 5],
  ];
  for (const [is, told_] of errors) {
    raw.send(request(READ, { length: 512 }));
    await until(() => world.disks.calls.length > 0);
    world.disks.answer('read', -is);
    t.match(await raw.simple(), { error: told_ });
  }
});

t.test('replies are sent in the order in which requests complete', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  for (const cookie of [1n, 2n, 3n]) raw.send(request(READ, { cookie, offset: cookie * 512n, length: 512 }));
  await until(() => world.disks.calls.length === 3);
  for (const index of [2, 0, 1]) {
    const call = world.disks.calls[index]!;
    call.buffer!.fill(call.sector);
    call.answer(0);
    t.equal((await raw.simple()).cookie, BigInt(call.sector));
    t.strictSame(await raw.take(512), Buffer.alloc(512, call.sector));
  }
});

t.test(
  'a client with too many requests in flight is not read from until half of them are answered',
  async (t) => {
    const world = await scriptedWorld(t, { limits: { maxRequestsInFlight: 4 } });
    const raw = await world.raw().go();
    raw.send(...Array.from({ length: 10 }, () => request(FLUSH)));
    await until(() => world.disks.calls.length >= 4);
    t.equal(world.disks.calls.length, 4);
    world.disks.answer('flush');
    await raw.simple();
    t.equal(world.disks.calls.length, 3);
    world.disks.answer('flush');
    await raw.simple();
    await until(() => world.disks.calls.length >= 4);
    t.equal(world.disks.calls.length, 4, 'those that were sent long ago are read now');
    for (let left = 8; left > 0; left--) {
      await until(() => world.disks.calls.length > 0);
      world.disks.answer('flush');
      await raw.simple();
    }
  },
);

t.test('a client with too many bytes in flight is not read from, but one large request passes', async (t) => {
  const world = await scriptedWorld(t, { limits: { maxBytesInFlight: 4096 } });
  const raw = await world.raw().go();
  raw.send(request(WRITE, { length: 65536, data: Buffer.alloc(65536) }), request(READ, { length: 512 }));
  await until(() => world.disks.calls.length > 0);
  t.strictSame(world.disks.log, ['write 0+128']);
  world.disks.answer('write');
  await raw.simple();
  await until(() => world.disks.calls.length > 0);
  world.disks.answer('read');
  await raw.take(16 + 512);
});

t.test('a client that does not read its replies delays nobody else', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:4');
  await writeSectors(vbd, 0, pattern(8192, 3));
  const slow = await world.raw().go();
  slow.socket.pause();
  for (let count = 0; count < 64; count++)
    slow.send(request(READ, { cookie: BigInt(count), length: 4 << 20 }));
  const quick = await world.raw().go();
  quick.send(request(READ, { length: 4096 }));
  t.strictSame(await quick.take(16 + 4096).then((bytes) => bytes.subarray(16)), pattern(8, 3));
  slow.socket.resume();
  for (let count = 0; count < 16; count++) {
    t.equal((await slow.simple()).cookie, BigInt(count));
    const data = await slow.take(4 << 20);
    if (!data.equals(pattern(8192, 3))) t.fail(`reply ${count} has other data`);
  }
});

t.test('DISC waits for replies to requests in flight, then ends the connection', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  raw.send(
    request(READ, { cookie: 5n, length: 512 }),
    request(DISC),
    request(READ, { cookie: 6n, length: 512 }),
  );
  await until(() => world.disks.calls.length > 0);
  world.disks.answer('read');
  t.strictSame(await raw.simple(), { error: 0, cookie: 5n });
  t.equal((await raw.rest()).length, 512);
  t.strictSame(world.disks.log, ['read 0+1'], 'what comes after it is not read');
});

t.test('a vanished client is noticed: its requests continue, its connection is closed', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  raw.send(request(WRITE, { length: 512, data: Buffer.alloc(512) }));
  await until(() => world.disks.calls.length > 0);
  raw.destroy();
  world.disks.answer('write');
  await until(() => world.nbd.connections === 0);
  t.equal(world.posix.openDescriptors().length, world.descriptors);
});

t.test('a client that disconnects in the middle of its data has changed nothing', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  raw.send(request(WRITE, { length: 1 << 20, data: Buffer.alloc(300_000) }));
  raw.socket.end();
  t.equal((await raw.rest()).length, 0);
  await until(() => world.nbd.connections === 0);
  t.strictSame(world.disks.log, []);
  t.match(world.lines.at(-1), /gone in the middle of a message/);
  t.equal(world.nbd.requestMemoryBytes, 0, 'and leaves the memory for its data');
  const idle = await world.raw().go();
  idle.socket.end();
  t.equal((await idle.rest()).length, 0);
  t.match(
    world.lines.at(-1),
    /: the client has gone$/,
    'one that asked for nothing is in the middle of none',
  );
});

t.test('a client that disconnects while its data is being skipped is closed too', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  raw.send(request(WRITE, { offset: 1n << 40n, length: 1 << 20, data: Buffer.alloc(300_000) }));
  raw.socket.end();
  t.equal((await raw.rest()).length, 0);
});

t.test('a request without its magic ends the connection', async (t) => {
  const world = await scriptedWorld(t);
  const raw = await world.raw().go();
  raw.send(Buffer.alloc(28, 0xff));
  t.equal((await raw.rest()).length, 0);
  t.match(world.lines.at(-1), /a request without its magic/);
});

t.test('requests for a paused disk wait for its resume', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:1');
  const raw = await world.raw().go();
  await vbd.pause();
  raw.send(request(WRITE, { cookie: 1n, length: 512, data: pattern(1, 5) }));
  await until(() => vbd.statistics().waiting === 1);
  await vbd.resume(undefined);
  t.strictSame(await raw.simple(), { error: 0, cookie: 1n });
  t.strictSame(await readSectors(vbd, 0, 1), pattern(1, 5));
});

t.test(
  'when the disk is closed its clients get what is in flight answered, and are disconnected',
  async (t) => {
    const world = await scriptedWorld(t);
    const raw = await world.raw().go();
    const other = await world.raw().go();
    raw.send(request(WRITE, { cookie: 1n, length: 512, data: Buffer.alloc(512) }));
    await until(() => world.disks.calls.length > 0);
    t.equal(await resultOf(world.registry.close(0)), -errno.EAGAIN);
    other.send(request(READ, { cookie: 2n, length: 512 }));
    t.strictSame(await other.simple(), { error: ESHUTDOWN, cookie: 2n });
    other.send(request(WRITE, { cookie: 3n }), request(TRIM, { cookie: 4n, length: 512 }));
    t.strictSame(await other.simple(), { error: ESHUTDOWN, cookie: 3n }, 'even of nothing');
    t.strictSame(await other.simple(), { error: ESHUTDOWN, cookie: 4n }, 'whatever it could');
    world.disks.answer('write');
    t.strictSame(await raw.simple(), { error: 0, cookie: 1n });
    t.equal((await raw.rest()).length, 0);
    t.equal((await other.rest()).length, 0);
    t.equal(world.registry.get(0)!.phase, 'closed');
  },
);

t.test('a flush on one connection covers writes answered on another', async (t) => {
  const world = await scriptedWorld(t);
  const [one, two] = [await world.raw().go(), await world.raw().go()];
  one.send(request(WRITE, { length: 512, data: Buffer.alloc(512) }));
  await until(() => world.disks.calls.length > 0);
  world.disks.answer('write');
  await one.simple();
  two.send(request(FLUSH));
  await until(() => world.disks.calls.length > 0);
  t.strictSame(world.disks.log, ['write 0+1', 'flush'], 'it is the disk’s one flush');
  world.disks.answer('flush');
  t.match(await two.simple(), { error: 0 });
});

t.test(
  'with as many bytes in flight as there may be, a client is read from again at half of them',
  async (t) => {
    const world = await scriptedWorld(t, { limits: { maxBytesInFlight: 4096 } });
    const raw = await world.raw().go();
    raw.send(...Array.from({ length: 8 }, () => request(READ, { length: 1024 })));
    await until(() => world.disks.calls.length >= 4);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    t.equal(world.disks.calls.length, 4, 'the maximum, and no more');
    world.disks.answer('read');
    await raw.take(16 + 1024);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    t.equal(world.disks.calls.length, 3, 'three quarters are in flight');
    world.disks.answer('read');
    await raw.take(16 + 1024);
    await until(() => world.disks.calls.length >= 4);
    t.equal(world.disks.calls.length, 4);
    for (let left = 6; left > 0; left--) {
      await until(() => world.disks.calls.length > 0);
      world.disks.answer('read');
      await raw.take(16 + 1024);
    }
  },
);

t.test('a request that still waits for memory when the server stops does not reach the disk', async (t) => {
  const bytes = 32 << 20;
  const limits = { maxRequestMemoryBytes: 2 * bytes };
  const world = await scriptedWorld(t, { limits, disk: { sectors: bytes / 512 } });
  const holder = await world.raw().go();
  const waiting = await world.raw().go();
  for (const raw of [holder, waiting]) {
    raw.send(request(READ, { length: bytes }));
    await until(() => world.nbd.requestMemoryBytes === bytes);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(world.disks.calls.length, 1, 'another one does not fit beside what is kept free');
  const stopped = new Promise<void>((resolve) => world.nbd.stop(resolve));
  t.equal((await waiting.rest()).length, 0);
  world.disks.answer('read');
  t.equal((await holder.rest()).length, 16 + bytes);
  await stopped;
  t.equal(world.nbd.requestMemoryBytes, 0);
  t.same(world.disks.log, [`read 0+${bytes / 512}`]);
});

t.test('a write that waits for memory goes on as soon as there is some', async (t) => {
  const MIB = 1 << 20;
  const limits = { maxRequestMemoryBytes: 64 * MIB };
  const world = await scriptedWorld(t, { limits, disk: { sectors: 65_536 } });
  for (const mib of [32, 24]) (await world.raw().go()).send(request(READ, { length: mib * MIB }));
  await until(() => world.disks.calls.length === 2);
  const writing = await world.raw().go();
  writing.send(request(WRITE, { length: 2 * MIB, data: pattern(4096, 1) }));
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  t.equal(world.disks.calls.length, 2, 'what is kept free is for small requests');
  world.disks.answer('read', -errno.EIO);
  await until(() => world.disks.calls.length === 2);
  world.disks.answer('read', -errno.EIO);
  world.disks.answer('write');
  t.match(await writing.simple(), { error: 0 });
});

t.test('only a read of whole sectors, of 32 KiB or more, is answered with holes', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().go('', { structured: true });
  const LEAST = 32 << 10;
  for (const [offset, length, isHole] of [
    [0, LEAST, true],
    [512, LEAST, true],
    [0, LEAST - 512, false],
    [256, LEAST, false],
    [0, LEAST + 256, false],
  ] as const) {
    raw.send(request(READ, { offset: BigInt(offset), length }));
    const { type, payload } = await raw.chunk();
    const expected = isHole ? [2, 12] : [1, 8 + length];
    t.same([type, payload.length], expected, `${length} bytes at ${offset}`);
  }
});

for (const { copiesData, memory } of [
  { copiesData: false, memory: SharedArrayBuffer },
  { copiesData: true, memory: ArrayBuffer },
]) {
  t.test(
    `data is in ${memory.name} for a disk that ${copiesData ? 'copies it' : 'has threads'}`,
    async (t) => {
      const world = await scriptedWorld(t, { disk: { copiesData } });
      const raw = await world.raw().go();
      for (const length of [512, 65_536]) {
        // All at once, so that some is read ahead.
        raw.send(request(READ, { length }), request(WRITE, { length }), pattern(length / 512, 3));
        await until(() => world.disks.calls.length === 2);
        const [read, write] = [world.disks.take('read'), world.disks.take('write')];
        t.ok(
          read.buffer?.buffer instanceof memory && write.buffer?.buffer instanceof memory,
          `${length} bytes`,
        );
        t.ok(pattern(length / 512, 3).equals(write.buffer ?? Buffer.alloc(0)));
        read.buffer?.set(pattern(length / 512, 4));
        read.answer(0);
        write.answer(0);
        t.match(await raw.simple(), { error: 0 });
        t.strictSame(await raw.take(length), pattern(length / 512, 4));
        t.match(await raw.simple(), { error: 0 });
      }
    },
  );
}

t.test('the disk learns whether zeroes must stay allocated, and whether they must be fast', async (t) => {
  const asked: string[] = [];
  const zeroed =
    (what: string) =>
    (zeroes: ZeroesRequest): void => {
      asked.push(`${what}${zeroes.noHole ? ', no hole' : ''}`);
      zeroes.complete(0);
    };
  const type: DiskDriverType = {
    name: 'zeroing',
    create: (context, argument) =>
      Object.assign(ramDriverType.create(context, argument), {
        writeZeroes: zeroed('zeroes'),
        writeZeroesFast: zeroed('fast'),
      }),
  };
  const world = nbdWorld(t, { types: driverTypes([type]) });
  await world.open('zeroing:1');
  const raw = await world.raw().go();
  for (const flags of [0, NO_HOLE, FAST_ZERO, NO_HOLE | FAST_ZERO]) {
    raw.send(request(WRITE_ZEROES, { flags, length: 4096 }));
    t.match(await raw.simple(), { error: 0 });
  }
  t.same(asked, ['zeroes', 'zeroes, no hole', 'fast', 'fast, no hole']);
});

t.test('a read uses what is known of holes at once, and does not wait for more', async (t) => {
  const type: DiskDriverType = {
    name: 'slow',
    create: (context, argument) =>
      Object.assign(ramDriverType.create(context, argument), {
        blockStatus: () => {},
        blockStatusFast: ({ sectors }: SectorRange, done: BlockStatusDone) =>
          done(0, [{ sectors, allocated: false, zero: true }]),
      }),
  };
  const world = nbdWorld(t, { types: driverTypes([type]) });
  await world.open('slow:1');
  const raw = await world.raw().go('', { structured: true });
  raw.send(request(READ, { length: 65_536 }));
  t.match(await raw.chunk(), { type: 2, payload: Buffer.concat([u64(0), u32(65_536)]) });
});
