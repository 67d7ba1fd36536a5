// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, ftruncateSync, openSync } from 'node:fs';
import t from 'tap';
import { driverTypes } from '../../src/disks/drivers/index.js';
import { NodePosix } from '../../src/posix/index.js';
import { ManualClock } from '../disks/bench.js';
import { pattern, writeSectors } from '../disks/drivers/disk-world.js';
import { ScriptedDisks } from '../disks/scripted-disks.js';
import { nbdWorld, until } from './nbd-world.js';
import { type RawClient, exportRequest, extendedRequest, option, request, u32, u64 } from './raw-client.js';

const [READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS] = [0, 1, 2, 3, 4, 5, 6, 7];
const [DF, REQ_ONE, PAYLOAD_LEN] = [4, 8, 32];
const [NONE, OFFSET_DATA, OFFSET_HOLE, BLOCK_STATUS_EXT, ERROR] = [0, 1, 2, 6, 0x8001];
const [EINVAL, ENOSPC] = [22, 28];
const [STRUCTURED_REPLY, EXTENDED_HEADERS] = [8, 11];
const MIB = 1 << 20;
const TIB = 2 ** 40;

/** The extents of a reply to BLOCK_STATUS: length and flags. */
async function extents(raw: RawClient): Promise<bigint[][]> {
  const { flags, type, payload } = await raw.extended();
  if (flags !== 1 || type !== BLOCK_STATUS_EXT) throw new Error(`type ${type}`);
  if (payload.readUInt32BE(0) !== 1) throw new Error(`context ${payload.readUInt32BE(0)}`);
  const found: bigint[][] = [];
  for (let at = 8; at < payload.length; at += 16)
    found.push([payload.readBigUInt64BE(at), payload.readBigUInt64BE(at + 8)]);
  if (payload.readUInt32BE(4) !== found.length) throw new Error(`${payload.readUInt32BE(4)} extents`);
  return found;
}

/** The error of a reply that is one. */
async function errorOf(raw: RawClient): Promise<number> {
  const { flags, type, payload } = await raw.extended();
  if (flags !== 1 || type !== ERROR) throw new Error(`type ${type}`);
  return payload.readUInt32BE(0);
}

function emptyFile(path: string, bytes: number): void {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
}

t.test('extended headers imply structured replies, which cannot be negotiated after them', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  const answer = async (number: number, data: Buffer | string = ''): Promise<number> => {
    raw.send(option(number, data));
    return (await raw.reply()).type;
  };
  t.equal(await answer(EXTENDED_HEADERS, 'x'), 0x80000003, 'no data goes with it');
  t.equal(await answer(STRUCTURED_REPLY), 1);
  t.equal(await answer(EXTENDED_HEADERS), 1);
  t.equal(await answer(STRUCTURED_REPLY), 0x8000000a);
  raw.send(option(7, exportRequest('')));
  const [info] = await raw.replies();
  t.equal(info!.data.readUInt16BE(10) & (128 | 4096), 128, 'DF, but no filter without a context');
  raw.send(extendedRequest(READ, { cookie: 9n, offset: 512n, length: 512 }));
  t.match(await raw.extended(), { flags: 1, type: OFFSET_DATA, cookie: 9n, offset: 512n });
});

t.test('filters of block status are advertised where a context was chosen', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const flagsWith = async (number: number): Promise<number> => {
    const raw = await world.raw().greet();
    raw.send(
      option(number),
      option(10, Buffer.concat([u32(1), Buffer.from('0'), u32(1, 15), Buffer.from('base:allocation')])),
    );
    await raw.reply();
    await raw.replies();
    raw.send(option(7, exportRequest('0')));
    return (await raw.replies())[0]!.data.readUInt16BE(10);
  };
  t.equal((await flagsWith(EXTENDED_HEADERS)) & 4096, 4096);
  t.equal((await flagsWith(STRUCTURED_REPLY)) & 4096, 0);
});

t.test('each command gets its reply in extended chunks, with the requested offset', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().go('', { extended: true });
  const data = Buffer.alloc(1000, 7);
  const ranges = [
    [WRITE, { cookie: 1n, offset: 100n, data }],
    [FLUSH, { cookie: 2n }],
    [TRIM, { cookie: 3n, offset: 4096n, length: 4096 }],
    [CACHE, { cookie: 4n, offset: 1n, length: 700 }],
    [WRITE_ZEROES, { cookie: 5n, offset: 8192n, length: 4096 }],
  ] as const;
  for (const [command, parts] of ranges) {
    raw.send(extendedRequest(command, parts));
    const offset = 'offset' in parts ? parts.offset : 0n;
    const expected = { flags: 1, type: NONE, cookie: parts.cookie, offset, payload: Buffer.alloc(0) };
    t.same(await raw.extended(), expected, `command ${command}`);
  }
  raw.send(extendedRequest(READ, { cookie: 6n, offset: 99n, length: 1002, flags: DF }));
  const { payload, ...head } = await raw.extended();
  t.same(head, { flags: 1, type: OFFSET_DATA, cookie: 6n, offset: 99n });
  t.equal(payload.readBigUInt64BE(0), 99n);
  t.ok(payload.subarray(8).equals(Buffer.concat([Buffer.alloc(1), data, Buffer.alloc(1)])));
  raw.send(extendedRequest(DISC));
  t.equal((await raw.rest()).length, 0);
});

t.test('a write without a valid payload length ends the connection', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().go('', { extended: true });
  raw.send(extendedRequest(WRITE, { length: 512 }));
  t.equal((await raw.rest()).length, 0);
  t.match(world.lines.at(-1), /a write without PAYLOAD_LEN/);
});

t.test('holes are seen in reads and block status, whose extents may be longer than 4 GiB', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:16384');
  await writeSectors(vbd, 0, pattern(2, 1));
  const raw = await world.raw().go('', { extended: true, allocation: true });
  raw.send(extendedRequest(BLOCK_STATUS, { length: 16 * 2 ** 30 }));
  t.same(await extents(raw), [
    [BigInt(MIB), 0n],
    [BigInt(16 * 2 ** 30 - MIB), 3n],
  ]);
  raw.send(extendedRequest(BLOCK_STATUS, { length: 16 * 2 ** 30, flags: REQ_ONE }));
  t.same(await extents(raw), [[BigInt(MIB), 0n]]);
  raw.send(extendedRequest(READ, { offset: BigInt(MIB / 2), length: MIB }));
  const read = await raw.extended();
  t.same([read.flags, read.type, read.payload.length], [0, OFFSET_DATA, 8 + MIB / 2]);
  const hole = await raw.extended();
  t.same(hole.payload, Buffer.concat([u64(MIB), u32(MIB / 2)]));
  t.match(hole, { flags: 1, type: OFFSET_HOLE, offset: BigInt(MIB / 2) });
});

t.test('block status may name its context in a payload', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  let raw = await world.raw().go('', { extended: true, allocation: true });
  const filter = (length: number | bigint, ...contexts: number[]): Buffer =>
    Buffer.concat([u64(length), u32(...contexts)]);
  raw.send(extendedRequest(BLOCK_STATUS, { offset: 512n, data: filter(1024, 1) }), extendedRequest(DISC));
  t.same(await extents(raw), [[1024n, 3n]]);
  t.equal((await raw.rest()).length, 0, 'it is answered before the connection ends');
  raw = await world.raw().go('', { extended: true, allocation: true });
  for (const [what, data] of [
    ['another context', filter(1024, 2)],
    ['no context', filter(1024)],
    ['a context twice', filter(1024, 1, 1)],
    ['a range outside of the disk', filter(MIB, 1)],
    ['a length beyond all numbers', filter(2n ** 64n - 1n, 1)],
    ['no length', filter(0, 1)],
    ['a part of a number', Buffer.alloc(5)],
    ['a single byte', Buffer.alloc(1)],
  ] as const) {
    raw.send(extendedRequest(BLOCK_STATUS, { offset: 512n, data }));
    t.equal(await errorOf(raw), EINVAL, what);
  }
  raw.send(extendedRequest(BLOCK_STATUS, { flags: PAYLOAD_LEN }));
  t.equal(await errorOf(raw), EINVAL, 'a payload of nothing');
  raw.send(extendedRequest(WRITE, { cookie: 4n }));
  t.match(await raw.extended(), { type: NONE, cookie: 4n }, 'a write of nothing has nothing to announce');
  raw.send(extendedRequest(FLUSH, { cookie: 5n }));
  t.match(await raw.extended(), { type: NONE, cookie: 5n }, 'it goes on');
});

t.test('the payload of a command that has none is skipped, and the command refused', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:1');
  const raw = await world.raw().go('', { extended: true });
  for (const command of [READ, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS, 77]) {
    raw.send(extendedRequest(command, { data: Buffer.alloc(100, 0xff) }));
    t.equal(await errorOf(raw), EINVAL, `command ${command}`);
  }
  const filtering = await world.raw().go('', { extended: true, allocation: true });
  for (const command of [READ, FLUSH, TRIM, CACHE, WRITE_ZEROES, 77]) {
    filtering.send(extendedRequest(command, { data: Buffer.concat([u64(512), u32(1)]) }));
    t.equal(await errorOf(filtering), EINVAL, `command ${command} with what BLOCK_STATUS has`);
  }
  t.equal(vbd.statistics().kinds.writeZeroes.completed, 0);
  raw.send(extendedRequest(WRITE, { offset: BigInt(MIB), data: Buffer.alloc(512) }));
  t.equal(await errorOf(raw), ENOSPC);
  raw.send(extendedRequest(READ, { length: 512 }));
  t.match(await raw.extended(), { payload: Buffer.alloc(8 + 512) });
});

t.test('a request of unclear length ends the connection', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  for (const [what, bytes, reason] of [
    ['a write without PAYLOAD_LEN', extendedRequest(WRITE, { length: 512 }), /a write without PAYLOAD_LEN$/],
    ['a write of one byte without it', extendedRequest(WRITE, { length: 1 }), /a write without PAYLOAD_LEN$/],
    [
      'data of more than 4 GiB',
      extendedRequest(WRITE, { flags: PAYLOAD_LEN, length: 2n ** 32n }),
      /a request with 4294967296 bytes of data$/,
    ],
    ['a header that is not extended', request(FLUSH, { offset: 0n }), /a request without its magic$/],
  ] as const) {
    const raw = await world.raw().go('', { extended: true });
    raw.send(bytes, Buffer.alloc(4));
    t.equal((await raw.rest()).length, 0, what);
    t.match(world.lines.at(-1), reason, what);
  }
  const longest = await world.raw().go('', { extended: true });
  longest.send(extendedRequest(WRITE, { flags: PAYLOAD_LEN, length: 2n ** 32n - 1n }), Buffer.alloc(4));
  longest.socket.end();
  t.equal((await longest.rest()).length, 0);
  t.match(world.lines.at(-1), /the client has gone$/, 'with a byte less it is only too long');
  const raw = await world.raw().go('', { structured: true });
  raw.send(extendedRequest(FLUSH));
  t.equal((await raw.rest()).length, 0, 'an extended header that was not negotiated');
});

t.test('PAYLOAD_LEN is refused where headers are not extended', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().go();
  raw.send(request(WRITE, { flags: PAYLOAD_LEN, length: 512, data: Buffer.alloc(512) }));
  t.match(await raw.simple(), { error: EINVAL });
});

t.test('offsets and lengths beyond 2^53 are out of range, and echoed exactly', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().go('', { extended: true, allocation: true });
  const huge = 2n ** 64n - 1n;
  for (const command of [READ, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS]) {
    raw.send(extendedRequest(command, { offset: huge, length: huge }));
    const { type, offset, payload } = await raw.extended();
    t.same([type, offset], [ERROR, huge]);
    t.equal(payload.readUInt32BE(0), command === WRITE_ZEROES ? ENOSPC : EINVAL);
    raw.send(extendedRequest(command, { length: 2n ** 53n }));
    t.equal(await errorOf(raw), command === WRITE_ZEROES ? ENOSPC : EINVAL);
  }
});

t.test('a TiB is zeroed, discarded or examined in one request while others have turns', async (t) => {
  const world = nbdWorld(t);
  emptyFile(world.path('disk.img'), TIB);
  await world.open(`aio:${world.path('disk.img')}`);
  const raw = await world.raw().go('', { extended: true, allocation: true });
  const other = await world.raw().go('');
  for (const command of [TRIM, WRITE_ZEROES]) {
    raw.send(extendedRequest(command, { length: TIB }));
    other.send(request(READ, { length: 512 }));
    await other.take(16 + 512);
    t.match(await raw.extended(), { type: NONE });
  }
  raw.send(extendedRequest(BLOCK_STATUS, { length: TIB }));
  const total = (await extents(raw)).reduce((sum, [length]) => sum + length!, 0n);
  t.equal(total, BigInt(TIB));
});

t.test('zeroing a TiB piece by piece ends with the connection', async (t) => {
  const clock = new ManualClock();
  const disks = new ScriptedDisks({ name: 'huge', sectors: TIB / 512 });
  let writes = 0;
  disks.answerAtOnce = (what) => {
    if (what === 'write') writes++;
    return 0;
  };
  const world = nbdWorld(t, {
    posix: new NodePosix({ clock }),
    types: driverTypes([disks.type]),
    limits: { finishTimeoutSeconds: 5 },
  });
  const vbd = await world.open('huge:');
  const raw = await world.raw().go('', { extended: true });
  raw.send(extendedRequest(WRITE_ZEROES, { length: TIB }));
  await until(() => writes > 10);
  raw.send(extendedRequest(DISC));
  // Its end is waited for as long as that of any other request.
  await until(() => world.lines.some((line) => line.includes('the client disconnects')));
  const before = writes;
  await until(() => writes > before + 10);
  clock.seconds += 5;
  await until(() => vbd.statistics().inFlight === 0);
  t.ok(writes < TIB / (1 << 20), `${writes} writes`);
  t.equal(world.nbd.connections, 0);
});

t.test('caching a TiB ends with the connection', async (t) => {
  const disks = new ScriptedDisks({ name: 'huge', sectors: TIB / 512 });
  disks.answerAtOnce = () => 0;
  const world = nbdWorld(t, { types: driverTypes([disks.type]) });
  const vbd = await world.open('huge:');
  const raw = await world.raw().go('', { extended: true });
  raw.send(extendedRequest(CACHE, { length: TIB }));
  await until(() => vbd.statistics().kinds.read.completed > 10);
  raw.send(extendedRequest(DISC));
  const { payload } = await raw.extended();
  t.equal(payload.readUInt32BE(0), 108);
  await until(() => world.nbd.connections === 0);
  const { completed } = vbd.statistics().kinds.read;
  t.ok(completed < TIB / (256 << 10), `${completed} reads`);
});
