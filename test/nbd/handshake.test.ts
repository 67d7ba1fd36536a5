// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ManualClock } from '../disks/bench.js';
import { AF_UNIX, NodePosix } from '../../src/posix/index.js';
import { type NbdExport, NbdServer, vbdExports } from '../../src/nbd/index.js';
import { nullLogger } from '../../src/server/logger.js';
import { diskWorld } from '../disks/drivers/disk-world.js';
import { nbdWorld } from './nbd-world.js';
import { contextRequest, exportRequest, option, RawClient, request, u16, u32, u64 } from './raw-client.js';

const ACK = 1;
const SERVER = 2;
const INFO = 3;
const ERR_UNSUP = 0x80000001;
const ERR_INVALID = 0x80000003;
const ERR_UNKNOWN = 0x80000006;
const ERR_TOO_BIG = 0x80000009;

/** HAS_FLAGS, SEND_FLUSH, SEND_FUA, SEND_TRIM, SEND_WRITE_ZEROES, CAN_MULTI_CONN, SEND_CACHE. */
const FLAGS = 1 | 4 | 8 | 32 | 64 | 256 | 1024 | 2048;
const SIZE = 1 << 20;

t.test('the greeting is fixed newstyle without zeroes', async (t) => {
  const raw = nbdWorld(t).raw();
  t.strictSame(await raw.take(18), Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), u16(3)]));
});

t.test('unknown client flags end the connection', async (t) => {
  const world = nbdWorld(t);
  for (const flags of [4, 0x8000_0000]) {
    const raw = await world.raw().greet(flags);
    t.equal((await raw.rest()).length, 0);
    t.match(world.lines.at(-1), new RegExp(`unknown client flags 0x${flags.toString(16)}$`));
  }
});

t.test('LIST has every open VBD by its minor', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  await world.open('ram:2');
  world.registry.attach(9);
  const raw = await world.raw().greet();
  raw.send(option(3));
  const entry = (name: string, rest: string): Buffer =>
    Buffer.concat([u32(name.length), Buffer.from(name), Buffer.from(rest)]);
  t.strictSame(await raw.replies(), [
    { option: 3, type: SERVER, data: entry('0', 'VBD 0, 2048 sectors of 512 bytes') },
    { option: 3, type: SERVER, data: entry('1', 'VBD 1, 4096 sectors of 512 bytes') },
    { option: 3, type: ACK, data: Buffer.alloc(0) },
  ]);
  raw.send(option(3, 'x'));
  t.match(await raw.reply(), { option: 3, type: ERR_INVALID });
});

t.test(
  'INFO reports size, flags and block sizes, and what else is asked for, and the handshake continues',
  async (t) => {
    const world = nbdWorld(t);
    await world.open('ram:1');
    const raw = await world.raw().greet();
    for (let round = 0; round < 2; round++) {
      raw.send(option(6, exportRequest('0', 1, 2, 3, 77)));
      t.strictSame(await raw.replies(), [
        { option: 6, type: INFO, data: Buffer.concat([u16(0), u64(SIZE), u16(FLAGS)]) },
        { option: 6, type: INFO, data: Buffer.concat([u16(3), u32(512, 4096, 32 << 20)]) },
        { option: 6, type: INFO, data: Buffer.concat([u16(1), Buffer.from('0')]) },
        {
          option: 6,
          type: INFO,
          data: Buffer.concat([u16(2), Buffer.from('VBD 0, 2048 sectors of 512 bytes')]),
        },
        { option: 6, type: ACK, data: Buffer.alloc(0) },
      ]);
    }
  },
);

t.test('a context that was chosen stays so when contexts are listed', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  const [SET, LIST] = [10, 9];
  raw.send(option(8), option(SET, contextRequest('0', 'base:allocation')), option(LIST, contextRequest('0')));
  for (let count = 0; count < 3; count++) t.equal((await raw.replies()).at(-1)?.type, ACK);
  raw.send(option(7, exportRequest('0')));
  await raw.replies();
  raw.send(request(7, { length: 4096 }));
  const BLOCK_STATUS_REPLY = 5;
  t.match(await raw.chunk(), { type: BLOCK_STATUS_REPLY });
});

t.test('a name and a description go only to a client that asks for them', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const [SIZE_AND_FLAGS, NAME, DESCRIPTION, BLOCK_SIZE] = [0, 1, 2, 3];
  for (const [requested, expected] of [
    [[], [SIZE_AND_FLAGS, BLOCK_SIZE]],
    [[NAME], [SIZE_AND_FLAGS, BLOCK_SIZE, NAME]],
    [[DESCRIPTION], [SIZE_AND_FLAGS, BLOCK_SIZE, DESCRIPTION]],
  ] as const) {
    const raw = await world.raw().greet();
    raw.send(option(7, exportRequest('0', ...requested)));
    const infos = (await raw.replies()).filter(({ type }) => type === INFO);
    t.same(
      infos.map(({ data }) => data.readUInt16BE(0)),
      expected,
    );
  }
});

t.test('STRUCTURED_REPLY is accepted, and DF is offered from then on', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  raw.send(option(8, 'x'));
  t.match(await raw.reply(), { option: 8, type: ERR_INVALID });
  raw.send(option(8));
  t.strictSame(await raw.reply(), { option: 8, type: ACK, data: Buffer.alloc(0) });
  raw.send(option(6, exportRequest('')));
  t.equal((await raw.replies())[0]!.data.readUInt16BE(10), FLAGS | 128);
});

t.test('a read-only disk is advertised as such, without commands that change it', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1', { readOnly: true });
  const raw = await world.raw().greet();
  raw.send(option(6, exportRequest('')));
  t.equal((await raw.replies())[0]!.data.readUInt16BE(10), 1 | 2 | 4 | 256 | 1024);
});

t.test('EXPORT_NAME with an invalid name ends the connection, and the reason is logged', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  raw.send(option(1, '0\0'));
  t.equal((await raw.rest()).length, 0);
  t.match(world.lines.at(-1), /a name has no NUL/);
});

t.test('EXPORT_NAME gets size, flags, and zeroes unless the client opted out', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const answer = Buffer.concat([u64(SIZE), u16(FLAGS)]);
  const plain = await world.raw().greet(1);
  plain.send(option(1, '0'));
  t.strictSame(await plain.take(134), Buffer.concat([answer, Buffer.alloc(124)]));
  const short = await world.raw().greet(3);
  short.send(option(1, ''));
  t.strictSame(await short.take(10), answer);
  const unknown = await world.raw().greet();
  unknown.send(option(1, '7'));
  t.equal((await unknown.rest()).length, 0, 'there is no way to refuse one but to close');
  world.nbd.close();
  t.equal((await short.rest()).length, 0, 'no zeroes');
});

t.test('the default export is the open VBD, if there is just one', async (t) => {
  const world = nbdWorld(t);
  const raw = await world.raw().greet();
  const ask = async (name: string) => {
    raw.send(option(6, exportRequest(name)));
    const last = (await raw.replies()).at(-1)!;
    return last.type === ACK ? 'ok' : `${last.type.toString(16)} ${last.data.toString()}`;
  };
  t.equal(await ask(''), `${ERR_UNKNOWN.toString(16)} no disk is open`);
  await world.open('ram:1');
  t.equal(await ask(''), 'ok');
  t.equal(await ask('1'), `${ERR_UNKNOWN.toString(16)} the exports are 0`);
  await world.open('ram:1');
  t.equal(await ask(''), `${ERR_UNKNOWN.toString(16)} name one of the exports 0, 1`);
  t.equal(await ask('1'), 'ok');
});

t.test('ABORT is acknowledged and ends the connection', async (t) => {
  const raw = await nbdWorld(t).raw().greet();
  raw.send(option(2));
  t.strictSame(await raw.reply(), { option: 2, type: ACK, data: Buffer.alloc(0) });
  t.equal((await raw.rest()).length, 0);
});

t.test('options that are unknown, or not offered, get ERR_UNSUP', async (t) => {
  const raw = await nbdWorld(t).raw().greet();
  for (const number of [0, 4, 5, 12, 0xffffffff]) {
    raw.send(option(number, number === 5 ? '' : 'whatever'));
    t.match(await raw.reply(), { option: number, type: ERR_UNSUP }, String(number));
  }
});

t.test('invalid data of INFO and GO gets ERR_INVALID with the reason', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  const wrong: [Buffer, string][] = [
    [Buffer.alloc(0), '0 bytes are too few'],
    [Buffer.concat([u32(9), Buffer.from('0'), u16(0)]), "the name's length 9 does not fit into 7 bytes"],
    [Buffer.concat([u32(0xffffffff), Buffer.from('0'), u16(0)]), "the name's length 4294967295 does not fit"],
    [Buffer.concat([u32(1), Buffer.from('0'), u16(2, 3)]), '2 bytes are not 2 kinds of information'],
    [Buffer.concat([u32(1), Buffer.from('0'), u16(0), Buffer.from('x')]), '1 bytes are not 0 kinds'],
    [Buffer.concat([u32(2), Buffer.from([0xc3, 0x28]), u16(0)]), 'a name is UTF-8'],
    [Buffer.concat([u32(2), Buffer.from([0x30, 0]), u16(0)]), 'a name has no NUL'],
    [exportRequest('x'.repeat(4097)), 'a name has at most 4096 bytes'],
  ];
  for (const [data, reason] of wrong) {
    for (const number of [6, 7]) {
      raw.send(option(number, data));
      const reply = await raw.reply();
      t.match([reply.option, reply.type, reply.data.toString()], [number, ERR_INVALID, reason]);
    }
  }
});

t.test('an option with too much data is skipped, however long it is', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  raw.send(option(6, Buffer.alloc(3 << 20)), option(7, exportRequest('')));
  t.match(await raw.reply(), { option: 6, type: ERR_TOO_BIG });
  t.match((await raw.replies()).at(-1), { option: 7, type: ACK });
  const named = await world.raw().greet();
  named.send(option(1, Buffer.alloc(70_000)));
  t.equal((await named.rest()).length, 0);
});

t.test('an option may have 64 KiB of data, and a longer one is too big', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  raw.send(option(6, Buffer.alloc(65_536)), option(6, Buffer.alloc(65_537)), option(7, exportRequest('')));
  t.match(await raw.reply(), { option: 6, type: ERR_INVALID });
  const { type, data } = await raw.reply();
  t.match([type, data.toString()], [ERR_TOO_BIG, 'at most 65536 bytes']);
  t.match((await raw.replies()).at(-1), { option: 7, type: ACK });
  for (const [length, reason] of [
    [65_536, /a name has at most 4096 bytes/],
    [65_537, /a name that is too long/],
  ] as const) {
    const named = await world.raw().greet();
    named.send(option(1, Buffer.alloc(length, 'x')));
    t.equal((await named.rest()).length, 0);
    t.match(world.lines.at(-1), reason);
  }
});

t.test('an option without its magic ends the connection', async (t) => {
  const world = nbdWorld(t);
  const raw = await world.raw().greet();
  raw.send(Buffer.from('IHAVEOPX'), u32(3, 0));
  t.equal((await raw.rest()).length, 0);
  t.match(world.lines.at(-1), /an option without its magic/);
});

t.test('the options of one connection are bounded', async (t) => {
  const world = nbdWorld(t);
  const raw = await world.raw().greet();
  raw.send(...Array.from({ length: 1025 }, () => option(99)));
  const types = new Set<number>();
  for (let count = 0; count < 1024; count++) types.add((await raw.reply()).type);
  t.same(types, new Set([ERR_UNSUP]));
  t.equal((await raw.rest()).length, 0);
  t.match(world.lines.at(-1), /more than 1024 options/);
});

t.test('options and requests may come all at once', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = world.raw();
  raw.send(
    u32(3),
    option(3),
    option(8),
    option(7, exportRequest('0')),
    Buffer.from([0x25, 0x60, 0x95, 0x13]),
    u16(0, 3),
    u64(5, 0),
    u32(0),
  );
  await raw.take(18);
  await raw.replies();
  await raw.replies();
  await raw.replies();
  t.strictSame(await raw.simple(), { error: 0, cookie: 5n });
});

t.test('options may come a byte at a time', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = world.raw();
  raw.socket.setNoDelay(true);
  for (const byte of Buffer.concat([u32(3), option(8), option(7, exportRequest('0'))]))
    raw.send(Buffer.from([byte]));
  await raw.take(18);
  t.match(await raw.replies(), [{ option: 8, type: ACK }]);
  t.match((await raw.replies()).at(-1), { option: 7, type: ACK });
});

t.test(
  'a client that sends requests without reading the replies has to wait, and gets them all',
  async (t) => {
    const world = nbdWorld(t);
    for (let count = 0; count < 200; count++) await world.open('ram:1');
    const raw = world.raw();
    raw.socket.pause();
    raw.send(u32(3), ...Array.from({ length: 60 }, () => option(3)));
    const other = await world.raw().go('7');
    other.destroy();
    raw.socket.resume();
    await raw.take(18);
    for (let count = 0; count < 60; count++) t.equal((await raw.replies()).length, 201);
  },
);

t.test('while too many replies wait for a client, its next option is not read', async (t) => {
  const world = diskWorld(t);
  const { server, posix, registry } = world;
  const exports = vbdExports(registry);
  let lists = 0;
  const list = (): NbdExport[] => {
    lists++;
    return [{ ...found, description: 'x'.repeat(100_000) }];
  };
  const vbd = await world.open('ram:1');
  const found: NbdExport = {
    name: '0',
    description: '',
    device: vbd,
    onClosed: (listener) => vbd.onClosed(listener),
  };
  const nbd = new NbdServer({
    registrar: server,
    posix,
    logger: nullLogger,
    completions: registry.completions,
    exports: { list, find: (name) => exports.find(name) },
  });
  t.teardown(() => nbd.close());
  const address = { family: AF_UNIX, path: world.path('s') } as const;
  t.equal(nbd.listen(address), 0);
  const [raw, other] = [new RawClient(address), new RawClient(address)];
  t.teardown(() => [raw, other].forEach((each) => each.destroy()));
  raw.socket.pause();
  const LISTS = 200;
  raw.send(u32(3), ...Array.from({ length: LISTS }, () => option(3)));
  await other.go();
  t.ok(lists < LISTS / 4, `${lists} replies`);
  raw.socket.resume();
  await raw.take(18);
  for (let count = 0; count < LISTS; count++) t.equal((await raw.replies()).length, 2);
  t.equal(lists, LISTS);
});

t.test('a client that chooses no disk in time is dropped; one that did is not', async (t) => {
  const clock = new ManualClock();
  const world = nbdWorld(t, { posix: new NodePosix({ clock }), limits: { handshakeTimeoutSeconds: 30 } });
  await world.open('ram:1');
  const chosen = await world.raw().go();
  const idle = await world.raw().greet();
  idle.send(option(3));
  await idle.replies();
  clock.seconds += 29;
  world.registry.completions.post(() => {});
  idle.send(option(3));
  await idle.replies();
  clock.seconds += 1;
  world.registry.completions.post(() => {});
  t.equal((await idle.rest()).length, 0);
  t.match(world.lines.at(-1), /no disk was chosen in time/);
  clock.seconds += 1000;
  world.registry.completions.post(() => {});
  chosen.send(Buffer.from([0x25, 0x60, 0x95, 0x13]), u16(0, 3), u64(5, 0), u32(0));
  t.strictSame(await chosen.simple(), { error: 0, cookie: 5n });
});
