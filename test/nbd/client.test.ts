// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { AF_UNIX, errno, NodePosix, type SocketAddress } from '../../src/posix/index.js';
import { MAX_PENDING_REQUESTS, NbdClient, NbdError } from '../../src/nbd/index.js';
import { diskWorld, pattern } from '../disks/drivers/disk-world.js';
import { nbdWorld, until } from './nbd-world.js';
import { u16, u32, u64 } from './raw-client.js';
import { takenBuffers } from './taken-buffers.js';

t.test('it reads and writes as its trace expects', async (t) => {
  const world = nbdWorld(t, { tcp: true });
  const vbd = await world.open('ram:4');
  const client = await world.client('0');
  t.match(client.facts, {
    size: 4 << 20,
    structuredReplies: true,
    minBlockBytes: 512,
    maxBlockBytes: 32 << 20,
  });
  await client.write(1 << 20, pattern(2048, 3));
  await client.write(0, pattern(8, 4), { forceUnitAccess: true });
  t.strictSame(await client.read(1 << 20, 1 << 20), pattern(2048, 3));
  await client.writeZeroes(1 << 20, 4096);
  await client.trim((1 << 20) + 4096, 4096);
  await client.cache(0, 1 << 20);
  await client.flush();
  const expected = pattern(2048, 3);
  expected.fill(0, 0, 8192);
  t.strictSame(await client.read(1 << 20, 1 << 20), expected);
  t.equal(vbd.statistics().kinds.write.completed, 2);
});

t.test('many requests at once each get their own answer', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:4');
  const client = await world.client();
  await Promise.all(Array.from({ length: 500 }, (_, index) => client.write(index * 512, pattern(1, index))));
  const read = await Promise.all(Array.from({ length: 500 }, (_, index) => client.read(index * 512, 512)));
  t.ok(read.every((bytes, index) => bytes.equals(pattern(1, index))));
});

t.test('an error of a request is reported by name, and the connection continues', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const client = await world.client();
  await t.rejects(client.read(1 << 20, 512), {
    code: 'EINVAL',
    message: 'read of 512 at 1048576 (EINVAL): EINVAL',
  });
  await t.rejects(client.write(1 << 20, Buffer.alloc(512)), { code: 'ENOSPC' });
  t.equal((await client.read(0, 512)).length, 512);
});

t.test('an unknown export is an error', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  await t.rejects(world.client('5'), {
    code: 'ENOENT',
    message: /cannot use the NBD server at .*: the server refuses the export: the exports are 0: ENOENT/,
  });
  await until(() => world.nbd.connections === 0);
  t.equal(world.posix.openDescriptors().length, world.descriptors, 'and no descriptor is left');
});

t.test('an unreachable server is an error', async (t) => {
  const world = diskWorld(t);
  const address = { family: AF_UNIX, path: world.path('nobody') } as const;
  const connecting = NbdClient.connect({ registrar: world.server, posix: world.posix, address });
  await t.rejects(connecting, { code: 'ENOENT' });
  const full = new NodePosix({ maxDescriptors: 3 });
  await t.rejects(NbdClient.connect({ registrar: world.server, posix: full, address }), { code: 'EMFILE' });
});

t.test('a connect that fails at once has its own error, and leaves nothing', async (t) => {
  class Refusing extends NodePosix {
    override connect(): number {
      return -errno.EACCES;
    }
  }
  const posix = new Refusing();
  const world = diskWorld(t, { posix });
  const had = posix.openDescriptors().length;
  const address = { family: AF_UNIX, path: world.path('nobody') } as const;
  await t.rejects(NbdClient.connect({ registrar: world.server, posix, address }), {
    code: 'EACCES',
    message: /^cannot use the NBD server at .*nobody: the connection is lost: EACCES$/,
  });
  t.equal(posix.openDescriptors().length, had);
});

t.test('a client whose descriptor cannot be read is lost with that error', async (t) => {
  class Unreadable extends NodePosix {
    lastSocket = -1;
    broken = -1;
    override socket(...parameters: Parameters<NodePosix['socket']>): number {
      return (this.lastSocket = super.socket(...parameters));
    }
    override read(fd: number, buffer: Uint8Array): number {
      return fd === this.broken ? -errno.EIO : super.read(fd, buffer);
    }
  }
  const posix = new Unreadable();
  const world = nbdWorld(t, { posix });
  await world.open('ram:1');
  const client = await world.client();
  posix.broken = posix.lastSocket;
  await t.rejects(client.flush(), { code: 'EIO', message: 'the connection is lost: EIO' });
  await t.rejects(client.flush(), { code: 'EIO' });
  await until(() => world.nbd.connections === 0);
});

t.test('a client closes its descriptor once, however often it disconnects', async (t) => {
  const closings: number[] = [];
  class Recorded extends NodePosix {
    override close(fd: number): number {
      closings.push(super.close(fd));
      return closings.at(-1) ?? 0;
    }
  }
  const world = nbdWorld(t, { posix: new Recorded() });
  await world.open('ram:1');
  const client = await world.client();
  client.disconnect();
  client.disconnect();
  t.same(closings, [0]);
  await until(() => world.nbd.connections === 0);
});

t.test(
  'when the server ends the connection all that is pending rejects, and all that comes later',
  async (t) => {
    const world = nbdWorld(t);
    const vbd = await world.open('ram:1');
    const client = await world.client();
    await vbd.pause();
    const reads = [client.read(0, 512), client.read(0, 512)];
    await until(() => vbd.statistics().waiting === 2);
    world.nbd.close();
    for (const read of reads) await t.rejects(read, { code: 'ECONNRESET' });
    await t.rejects(client.flush(), { code: 'ECONNRESET' });
  },
);

t.test('disconnect ends pending requests, and the server sees a goodbye', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const client = await world.client();
  client.disconnect();
  client.disconnect();
  await t.rejects(client.flush(), { code: 'ECANCELED' });
  await until(() => world.nbd.connections === 0);
  t.ok(world.lines.some((line) => line.includes('the client disconnects')));
});

t.test('a server that connects at once is used', async (t) => {
  class AtOnce extends NodePosix {
    override connect(fd: number, address: SocketAddress): number {
      const result = super.connect(fd, address);
      return result === -errno.EINPROGRESS ? 0 : result;
    }
  }
  const world = nbdWorld(t, { posix: new AtOnce() });
  await world.open('ram:1');
  const client = await world.client();
  t.equal((await client.read(0, 512)).length, 512);
});

t.test('a client that disconnects waits for nothing any more, sent or not', async (t) => {
  class FullPosix extends NodePosix {
    isFull = false;
    override write(fd: number, bytes: Uint8Array): number {
      const isConnection = typeof this.getpeername(fd) !== 'number';
      return this.isFull && isConnection ? -errno.EAGAIN : super.write(fd, bytes);
    }
  }
  const posix = new FullPosix();
  const world = nbdWorld(t, { posix });
  await world.open('ram:1');
  const client = await world.client();
  posix.isFull = true;
  const flush = client.flush();
  const events = (): readonly unknown[] =>
    [...world.server.scheduler.events()].map(({ callbackName }) => callbackName);
  t.ok(events().includes('NBD, client') && events().includes('NBD, replies'));
  client.disconnect();
  t.notOk(events().includes('NBD, client') || events().includes('NBD, replies'));
  await t.rejects(flush, { code: 'ECANCELED' });
  posix.isFull = false;
  await until(() => world.nbd.connections === 0);
});

t.test('the number of pending requests is bounded', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:1');
  const client = await world.client();
  await vbd.pause();
  const flushes = Array.from({ length: MAX_PENDING_REQUESTS }, () => client.flush());
  await t.rejects(client.flush(), { code: 'EAGAIN' });
  await vbd.resume(undefined);
  await Promise.all(flushes);
  await client.flush();
});

const GREETING = Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), u16(3)]);
const optionReply = (option: number, type: number, data: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.concat([u64(0x3e889045565a9n), u32(option, type, data.length), data]);
const EXPORT = optionReply(7, 3, Buffer.concat([u16(0), u64(1 << 20), u16(1)]));
const GO = Buffer.concat([EXPORT, optionReply(7, 1)]);
const chunk = (flags: number, type: number, payload: Uint8Array, cookie = 1): Buffer =>
  Buffer.concat([u32(0x668e33ef), u16(flags, type), u64(cookie), u32(payload.length), payload]);

/** A client of a server that sends `greeting` at once, and `afterRead` when it has got the handshake and one READ. */
async function clientOf(
  t: Test,
  greeting: Uint8Array,
  afterRead: Uint8Array = Buffer.alloc(0),
  heard: (data: Buffer) => void = () => {},
): Promise<NbdClient> {
  const world = diskWorld(t);
  const path = world.path('server');
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    let received = 0;
    socket.write(greeting);
    socket.on('error', () => {});
    // Client flags, STRUCTURED_REPLY, GO with one kind of information, and a READ.
    socket.on('data', (data) => {
      heard(data);
      received += data.length;
      if (received === 4 + 16 + 24 + 28) socket.write(afterRead);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const client = await NbdClient.connect({
    registrar: world.server,
    posix: world.posix,
    address: { family: AF_UNIX, path },
  });
  t.teardown(() => client.disconnect());
  return client;
}

t.test('a peer that is no NBD server is EPROTO', async (t) => {
  const wrong: [string, Uint8Array, RegExp][] = [
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), /does not support newstyle/],
    [
      'oldstyle',
      Buffer.concat([Buffer.from('NBDMAGIC'), u64(0x420281861253n), u16(0)]),
      /does not support newstyle/,
    ],
    [
      'not fixed',
      Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), u16(0)]),
      /does not support fixed newstyle/,
    ],
    ['no option reply', Buffer.concat([GREETING, Buffer.alloc(20)]), /expected a reply to option /],
    ['another option’s reply', Buffer.concat([GREETING, optionReply(7, 1)]), /expected a reply to option /],
    [
      'an endless reply',
      Buffer.concat([GREETING, optionReply(8, 1).subarray(0, 16), u32(1 << 30)]),
      /1073741824 bytes/,
    ],
    [
      'a size beyond all disks',
      Buffer.concat([
        GREETING,
        optionReply(8, 1),
        optionReply(7, 3, Buffer.concat([u16(0), u64(1n << 63n), u16(1)])),
        optionReply(7, 1),
      ]),
      /invalid size or block size/,
    ],
    [
      'no size at all',
      Buffer.concat([GREETING, optionReply(8, 1), optionReply(7, 1)]),
      /invalid size or block size/,
    ],
  ];
  for (const [what, bytes, message] of wrong)
    await t.rejects(clientOf(t, bytes), { code: 'EPROTO', message }, what);
});

t.test(
  'a server without GO is asked by EXPORT_NAME, one without structured replies is understood',
  async (t) => {
    const unsupported = [optionReply(8, 0x80000001), optionReply(7, 0x80000001)];
    const client = await clientOf(t, Buffer.concat([GREETING, ...unsupported, u64(4096), u16(1)]));
    t.match(client.facts, { size: 4096, flags: 1, structuredReplies: false, minBlockBytes: 512 });
  },
);

t.test('a server that sends zeroes after EXPORT_NAME, and unknown information, is understood', async (t) => {
  const greeting = Buffer.concat([GREETING.subarray(0, 16), u16(1)]);
  const replies = [optionReply(8, 1), optionReply(7, 3, Buffer.alloc(1)), optionReply(7, 0x80000001)];
  const zeroes = Buffer.alloc(124);
  const sent: Buffer[] = [];
  const all = Buffer.concat([greeting, ...replies, u64(8192), u16(1), zeroes]);
  const client = await clientOf(t, all, undefined, (data) => void sent.push(data));
  t.match(client.facts, { size: 8192, flags: 1, structuredReplies: true });
  while (sent.length === 0) await new Promise(setImmediate);
  t.equal(
    Buffer.concat(sent).readUInt32BE(0),
    1,
    'the client does not claim to know of a server without zeroes',
  );
});

t.test('an error without a text is reported only by its name', async (t) => {
  const reply = chunk(1, 0x8001, Buffer.concat([u32(108), u16(0)]));
  const client = await clientOf(t, Buffer.concat([GREETING, optionReply(8, 1), GO]), reply);
  await t.rejects(client.read(0, 512), { code: 'ESHUTDOWN', message: 'read of 512 at 0: ESHUTDOWN' });
});

t.test('an error at an offset is an error, and the first of several counts', async (t) => {
  const error = (type: number, number: number): Buffer =>
    chunk(0, type, Buffer.concat([u32(number), u16(2), Buffer.from('no'), u64(0)]));
  const reply = Buffer.concat([error(0x8002, 28), error(0x8001, 5), chunk(1, 0, Buffer.alloc(0))]);
  const client = await clientOf(t, Buffer.concat([GREETING, optionReply(8, 1), GO]), reply);
  await t.rejects(client.read(0, 512), { code: 'ENOSPC', message: 'read of 512 at 0 (no): ENOSPC' });
});

t.test('a client has what the server reports about the disk, as far as it can use it', async (t) => {
  const start = [GREETING, optionReply(8, 1)];
  const sizes = (least: number, most: number): Buffer =>
    optionReply(7, 3, Buffer.concat([u16(3), u32(least, 4096, most)]));
  const facts = async (...infos: readonly Buffer[]) =>
    (await clientOf(t, Buffer.concat([...start, ...infos, EXPORT, optionReply(7, 1)]))).facts;
  const plain = {
    size: 1 << 20,
    flags: 1,
    structuredReplies: true,
    minBlockBytes: 1,
    maxBlockBytes: 32 << 20,
  };
  t.same(await facts(), plain);
  t.same(await facts(sizes(512, 65_536)), { ...plain, minBlockBytes: 512, maxBlockBytes: 65_536 });
  t.same(await facts(sizes(1, 0xffff_ffff)), plain);
  for (const other of [
    // Information of another length, of another kind, and without a kind.
    Buffer.concat([u16(0), u64(7)]),
    Buffer.concat([u16(3), u32(512, 4096)]),
    Buffer.concat([u16(9), u64(7), u16(7)]),
    Buffer.concat([u16(9), u32(7, 7, 7)]),
    Buffer.alloc(1),
    Buffer.alloc(65_536),
  ])
    t.same(await facts(optionReply(7, 3, other)), plain, `${other.length} bytes`);
  await t.rejects(facts(sizes(0, 4096)), { code: 'EPROTO', message: /invalid size or block size/ });
  await t.rejects(facts(optionReply(7, 3, Buffer.alloc(65_537))), { code: 'EPROTO', message: /65537 bytes/ });
});

t.test('only a forced write carries FUA', async (t) => {
  const pieces: Buffer[] = [];
  const length = (): number => pieces.reduce((sum, piece) => sum + piece.length, 0);
  const greeting = Buffer.concat([GREETING, optionReply(8, 1), GO]);
  const client = await clientOf(t, greeting, undefined, (data) => void pieces.push(data));
  const ended = [true, false].map((forceUnitAccess) =>
    t.rejects(client.write(0, Buffer.alloc(512), { forceUnitAccess }), 'there is no answer'),
  );
  const handshake = 4 + 16 + 24;
  while (length() < handshake + 2 * (28 + 512)) await new Promise(setImmediate);
  const all = Buffer.concat(pieces);
  t.equal(all.readUInt16BE(handshake + 4), 1);
  t.equal(all.readUInt16BE(handshake + 28 + 512 + 4), 0);
  client.disconnect();
  await Promise.all(ended);
});

t.test(
  'zeroes are written without flags unless some are given, and a disconnect carries nothing else',
  async (t) => {
    const pieces: Buffer[] = [];
    const greeting = Buffer.concat([GREETING, optionReply(8, 1), GO]);
    const client = await clientOf(t, greeting, undefined, (data) => void pieces.push(data));
    const ended = [[], [2]].map((flags) => t.rejects(client.writeZeroes(512, 1024, ...flags)));
    client.disconnect();
    await Promise.all(ended);
    const length = 4 + 16 + 24 + 3 * 28;
    while (Buffer.concat(pieces).length < length) await new Promise(setImmediate);
    const sent = Buffer.concat(pieces).subarray(4 + 16 + 24);
    const header = (flags: number, command: number, cookie: number, offset: number, bytes: number): Buffer =>
      Buffer.concat([u32(0x25609513), u16(flags, command), u64(cookie), u64(offset), u32(bytes)]);
    t.same(
      sent,
      Buffer.concat([header(0, 6, 1, 512, 1024), header(2, 6, 2, 512, 1024), header(0, 2, 0, 0, 0)]),
    );
  },
);

t.test('a reply in several chunks, with holes, is put together', async (t) => {
  const reply = Buffer.concat([
    chunk(0, 1, Buffer.concat([u64(2048 + 1536), Buffer.alloc(512, 'c')])),
    chunk(0, 2, Buffer.concat([u64(2048 + 512), u32(1024)])),
    chunk(1, 1, Buffer.concat([u64(2048), Buffer.alloc(512, 'a')])),
  ]);
  const client = await clientOf(t, Buffer.concat([GREETING, optionReply(8, 1), GO]), reply);
  const expected = Buffer.concat([Buffer.alloc(512, 'a'), Buffer.alloc(1024), Buffer.alloc(512, 'c')]);
  t.strictSame(await client.read(2048, 2048), expected);
});

t.test('a chunk may have all data that the longest read asks for', async (t) => {
  const LONGEST = 32 << 20;
  const reply = chunk(1, 1, Buffer.concat([u64(0), Buffer.alloc(LONGEST, 'a')]));
  const client = await clientOf(t, Buffer.concat([GREETING, optionReply(8, 1), GO]), reply);
  const read = await client.read(0, LONGEST);
  t.ok(read.length === LONGEST && read.at(-1) === 97);
});

t.test('an error in a chunk is reported when the last one has arrived', async (t) => {
  const reply = Buffer.concat([
    chunk(0, 0x8002, Buffer.concat([u32(28), u16(4), Buffer.from('full'), u64(0)])),
    chunk(1, 0, Buffer.alloc(0)),
  ]);
  const client = await clientOf(t, Buffer.concat([GREETING, optionReply(8, 1), GO]), reply);
  await t.rejects(client.read(0, 512), { code: 'ENOSPC', message: 'read of 512 at 0 (full): ENOSPC' });
});

t.test('invalid replies end the connection with EPROTO', async (t) => {
  const wrong: [string, Uint8Array, RegExp][] = [
    ['no magic', Buffer.alloc(16), /a reply without its magic/],
    [
      'a simple reply to nothing',
      Buffer.concat([u32(0x67446698, 0), u64(9)]),
      /a reply to an unknown request/,
    ],
    ...[32n, 56n].map((bit): [string, Uint8Array, RegExp] => [
      'another’s cookie',
      Buffer.concat([u32(0x67446698, 0), u64((1n << bit) | 1n)]),
      /a reply to an unknown request/,
    ]),
    ['a chunk to nothing', chunk(1, 0, Buffer.alloc(0), 9), /a reply to an unknown request/],
    [
      'data before the range',
      chunk(1, 1, Buffer.concat([u64(0), Buffer.alloc(512)])),
      /data that was not asked for, or came before/,
    ],
    [
      'data past the range',
      chunk(1, 1, Buffer.concat([u64(1024), Buffer.alloc(513)])),
      /data that was not asked for, or came before/,
    ],
    [
      'a hole past the range',
      chunk(1, 2, Buffer.concat([u64(1024), u32(513)])),
      /a hole that was not asked for, or came before/,
    ],
    [
      'a hole before the range',
      chunk(1, 2, Buffer.concat([u64(1023), u32(512)])),
      /a hole that was not asked for, or came before/,
    ],
    [
      'a last chunk before any data',
      chunk(1, 0, Buffer.alloc(0)),
      /the last chunk came with 512 bytes missing/,
    ],
    [
      'a last chunk with a byte missing in the middle',
      Buffer.concat([
        chunk(0, 2, Buffer.concat([u64(1024), u32(255)])),
        chunk(1, 1, Buffer.concat([u64(1024 + 256), Buffer.alloc(256)])),
      ]),
      /the last chunk came with 1 bytes missing/,
    ],
    [
      'data that came before',
      Buffer.concat([
        chunk(0, 1, Buffer.concat([u64(1024), Buffer.alloc(256)])),
        chunk(1, 1, Buffer.concat([u64(1024 + 255), Buffer.alloc(257)])),
      ]),
      /data that was not asked for, or came before/,
    ],
    [
      'a hole where data came before',
      Buffer.concat([
        chunk(0, 1, Buffer.concat([u64(1024), Buffer.alloc(512)])),
        chunk(1, 2, Buffer.concat([u64(1024 + 511), u32(1)])),
      ]),
      /a hole that was not asked for, or came before/,
    ],
    [
      'an empty hole',
      chunk(1, 2, Buffer.concat([u64(1024), u32(0)])),
      /a hole that was not asked for, or came before/,
    ],
    ['data without any', chunk(1, 1, u64(1024)), /a chunk of type 1 with 8 bytes/],
    ['a hole without its length', chunk(1, 2, Buffer.alloc(11)), /a chunk of type 2 with 11 bytes/],
    ['a hole with more', chunk(1, 2, Buffer.alloc(13)), /a chunk of type 2 with 13 bytes/],
    ['half an error', chunk(1, 0x8001, Buffer.alloc(5)), /a chunk of type 32769 with 5 bytes/],
    [
      'a chunk longer than any data',
      Buffer.concat([u32(0x668e33ef), u16(1, 0), u64(1), u32((32 << 20) + 9)]),
      /a chunk of 33554441 bytes/,
    ],
    ['an unknown chunk', chunk(1, 77, Buffer.alloc(3)), /a chunk of type 77 with 3 bytes/],
    ['data without its offset', chunk(1, 1, Buffer.alloc(3)), /a chunk of type 1 with 3 bytes/],
    [
      'a huge chunk',
      Buffer.concat([u32(0x668e33ef), u16(1, 0), u64(1), u32(1 << 30)]),
      /a chunk of 1073741824 bytes/,
    ],
  ];
  for (const [what, reply, message] of wrong) {
    const client = await clientOf(t, Buffer.concat([GREETING, optionReply(8, 1), GO]), reply);
    await t.rejects(client.read(1024, 512), { code: 'EPROTO', message }, what);
  }
});

t.test('a client that gives up gives back what it had read ahead', async (t) => {
  const taken = takenBuffers(t);
  const nonsense = Buffer.alloc(100);
  const client = await clientOf(t, Buffer.concat([GREETING, optionReply(8, 1), GO]), nonsense);
  await t.rejects(client.read(0, 512), { message: /a reply without its magic/ });
  t.equal(taken.size, 0);
});

t.test('it rejects with an NbdError', async (t) => {
  const client = await nbdWorldClient(t);
  const error = await client.read(1 << 30, 1).catch((reason: unknown) => reason);
  t.ok(error instanceof NbdError);
});

async function nbdWorldClient(t: Test): Promise<NbdClient> {
  const world = nbdWorld(t);
  await world.open('ram:1');
  return world.client();
}
