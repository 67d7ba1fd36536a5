// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AF_INET, AF_UNIX, NodePosix } from '../../src/posix/index.js';
import type { ExchangeProtocol, Reply } from '../../src/server/exchange.js';
import { ExchangeListener, type ExchangeListenerOptions } from '../../src/server/exchange-listener.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { bytesOf, connectTo, ended, ManualClock } from '../control/world.js';

/** Requests end with a full stop and have ten bytes at most. */
function lineProtocol(answer: (request: string, reply: Reply) => void): ExchangeProtocol {
  return {
    maxRequestBytes: 10,
    requestLength: (received) => received.indexOf('.'.charCodeAt(0)) + 1,
    answer: (request, reply) => answer(Buffer.from(request).toString(), reply),
  };
}

function world(
  t: Test,
  answer: (request: string, reply: Reply) => void,
  maxConnections = 4,
  more: Partial<ExchangeListenerOptions> = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'exchange-'));
  const clock = new ManualClock();
  const posix = new NodePosix({ clock });
  const lines: string[] = [];
  const server = new TapdiskServer({ posix });
  const path = join(directory, 's');
  const options = {
    registrar: server,
    posix,
    logger: { log: (_: number, message: string) => lines.push(message) },
    protocol: lineProtocol(answer),
    name: 'test',
    maxConnections,
    slowClientSeconds: 2,
    ...more,
  };
  const listener = new ExchangeListener({ family: AF_UNIX, path }, options);
  const running = server.run({ signals: false });
  t.teardown(async () => {
    listener[Symbol.dispose]();
    server.stop();
    await running;
    assert.deepEqual(posix.openDescriptors(), []);
    rmSync(directory, { recursive: true });
  });
  return { listener, server, path, lines, clock, options };
}

const echo = (request: string, reply: Reply): void => {
  reply.send(Buffer.from(request));
  reply.end();
};

async function ask(path: string, request: string): Promise<string> {
  const socket = connectTo(path);
  socket.write(request);
  return (await bytesOf(socket)).toString();
}

t.test('a request is what its protocol says, whatever follows', async (t) => {
  const { path, lines } = world(t, echo);
  t.equal(await ask(path, 'abc.def'), 'abc.');
  t.same(lines, [], 'an answered request is not worth a line');
});

t.test('a request that is longer than its protocol allows ends the connection', async (t) => {
  const { path, lines } = world(t, echo);
  t.equal(await ask(path, '0123456789.'), '');
  t.strictSame(lines, ['test: a connection was closed: its request is too long']);
});

t.test('a long answer arrives whole at a client that takes its time', async (t) => {
  const pieces = Array.from({ length: 50 }, (_, index) => Buffer.alloc(50_000, index));
  const { path, listener, clock } = world(t, (_, reply) => {
    for (const piece of pieces) reply.send(piece);
    reply.end();
  });
  const socket = connectTo(path).pause();
  socket.write('a.');
  while (listener.accepted === 0) await new Promise(setImmediate);
  t.equal(listener.size, 1, 'it waits for room');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    clock.seconds += 1;
  });
  await ended(socket);
  socket.destroy();
  t.ok(Buffer.concat(chunks).equals(Buffer.concat(pieces)));
});

t.test(
  'an answer that comes late or twice, or after the client has gone, is taken for what it is',
  async (t) => {
    const replies: Reply[] = [];
    const { path, listener } = world(t, (_, reply) => replies.push(reply));
    const answer = ask(path, 'a.');
    while (replies.length < 1) await new Promise(setImmediate);
    replies[0]?.send(Buffer.from('late'));
    replies[0]?.end();
    replies[0]?.send(Buffer.from('more'));
    replies[0]?.end();
    t.equal(await answer, 'late');
    const socket = connectTo(path);
    socket.write('b.');
    while (replies.length < 2) await new Promise(setImmediate);
    socket.destroy();
    while (listener.size > 0) {
      await new Promise(setImmediate);
      replies[1]?.send(Buffer.alloc(100_000));
      replies[1]?.end();
    }
    t.equal(
      await Promise.race([ask(path, 'c.'), new Promise((resolve) => setImmediate(resolve, 'served'))]),
      'served',
    );
    while (replies.length < 3) await new Promise(setImmediate);
    replies[2]?.end();
  },
);

t.test('a client that keeps sending while it waits is not read, and gets its answer', async (t) => {
  const replies: Reply[] = [];
  const { path } = world(t, (_, reply) => replies.push(reply));
  const socket = connectTo(path);
  socket.write('a.');
  while (replies.length < 1) await new Promise(setImmediate);
  await new Promise<void>((resolve) => socket.write('x'.repeat(2000), () => resolve()));
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  const answer = bytesOf(socket);
  replies[0]?.send(Buffer.from('answer'));
  replies[0]?.end();
  t.equal((await answer).toString(), 'answer');
});

t.test('a rejected client that keeps sending is not read any more', async (t) => {
  const replies: Reply[] = [];
  const { path, server } = world(t, (_, reply) => replies.push(reply));
  const events = [...server.scheduler.events()].length;
  const socket = connectTo(path);
  socket.write('a.');
  while (replies.length < 1) await new Promise(setImmediate);
  socket.write(Buffer.alloc(8 << 20, 'x'));
  for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
  t.equal([...server.scheduler.events()].length, events, 'nothing is waited for on its connection');
  t.ok(socket.writableLength > 0, 'what it sends stays with it');
  socket.destroy();
});

t.test('a client keeps its place for a minimum time', async (t) => {
  const { path, listener, clock } = world(t, echo, 1);
  const silent = connectTo(path);
  const gone: string[] = [];
  const isGone = ended(silent).then(() => gone.push('silent'));
  while (listener.size < 1) await new Promise(setImmediate);
  const next = ask(path, 'a.');
  clock.seconds += 0.9;
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  t.same(gone, []);
  t.equal(listener.accepted, 1);
  // Whoever waits to be accepted is looked at again a second later.
  clock.seconds += 2;
  t.equal(await next, 'a.', 'then it is served');
  await isGone;
});

t.test(
  'once it has had its minimum time a silent client goes at once, and only as many as must',
  async (t) => {
    const { path, listener, clock, lines } = world(t, echo, 2);
    const silent = [];
    while (silent.length < 2) {
      silent.push(connectTo(path));
      while (listener.size < silent.length) await new Promise(setImmediate);
    }
    clock.seconds += 1;
    t.equal(await ask(path, 'a.'), 'a.');
    t.equal(listener.size, 1, 'the younger one stays');
    t.same(lines, ['test: a connection was closed: it is slow, and its place is needed']);
    for (const socket of silent) socket.destroy();
  },
);

t.test('clients without a whole request can have less time than those with one', async (t) => {
  const replies: Reply[] = [];
  const { path, listener, lines } = world(t, (_, reply) => replies.push(reply), 2, {
    collectingStaySeconds: 0,
  });
  const [draining, silent] = [connectTo(path).pause(), connectTo(path)];
  draining.write('a.');
  while (replies.length < 1 || listener.size < 2) await new Promise(setImmediate);
  replies[0]?.send(Buffer.alloc(8 << 20));
  replies[0]?.end();
  const next = connectTo(path);
  next.write('b.');
  while (replies.length < 2) await new Promise(setImmediate);
  t.same(lines, ['test: a connection was closed: it is slow, and its place is needed']);
  await ended(silent);
  t.notOk(draining.destroyed);
  for (const socket of [draining, silent, next]) socket.destroy();
});

t.test('the place of one that nobody waits for is given to the next at once', async (t) => {
  const replies: Reply[] = [];
  const { path, listener, lines, server } = world(t, (_, reply) => replies.push(reply), 1);
  const events = (): number => [...server.scheduler.events()].length;
  const gone = connectTo(path);
  gone.write('a.');
  while (replies.length < 1) await new Promise(setImmediate);
  const before = events();
  gone.end();
  while (events() === before) await new Promise(setImmediate);
  const next = ask(path, 'b.');
  while (replies.length < 2) await new Promise(setImmediate);
  t.same(lines, ['test: a connection was closed: nobody waits for its answer, and its place is needed']);
  t.equal(listener.size, 1);
  replies[1]?.end();
  t.equal(await next, '');
  gone.destroy();
});

t.test('while there is room nobody is dropped for another, however slow', async (t) => {
  const { path, listener, clock, lines } = world(t, echo, 2);
  const silent = connectTo(path);
  while (listener.size < 1) await new Promise(setImmediate);
  clock.seconds += 1.5;
  t.equal(await ask(path, 'a.'), 'a.');
  t.equal(listener.size, 1);
  t.same(lines, []);
  silent.destroy();
});

t.test('after it stops listening a server still serves its clients; after dispose it does not', async (t) => {
  const replies: Reply[] = [];
  const { path, listener } = world(t, (_, reply) => replies.push(reply));
  const [first, second] = [ask(path, 'a.'), ask(path, 'b.')];
  while (replies.length < 2) await new Promise(setImmediate);
  listener.stop();
  listener.stop();
  replies[0]?.send(Buffer.from('first'));
  replies[0]?.end();
  t.equal(await first, 'first');
  listener[Symbol.dispose]();
  t.equal(await second, '');
  t.equal(listener.size, 0);
});

t.test('an unusable listening address is named, and leaves no descriptor', async (t) => {
  const { options } = world(t, echo);
  const { posix } = options;
  const before = posix.openDescriptors().length;
  const elsewhere = { family: AF_INET, address: '192.0.2.1', port: 0 } as const;
  t.throws(() => new ExchangeListener(elsewhere, options), {
    code: 'EADDRNOTAVAIL',
    message: 'test: cannot listen on 192.0.2.1:0: EADDRNOTAVAIL',
  });
  t.equal(posix.openDescriptors().length, before);
  const none = new NodePosix({ maxDescriptors: 3 });
  t.throws(() => new ExchangeListener(elsewhere, { ...options, posix: none }), { code: 'EMFILE' });
});
