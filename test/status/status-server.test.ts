// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import { errno, NodePosix } from '../../src/posix/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { queryStatus } from '../../src/status/status-client.js';
import { MAX_STATUS_CONNECTIONS, StatusServer } from '../../src/status/status-server.js';
import { UnansweredPosix } from '../posix/unanswered-posix.js';
import { shortDirectory } from '../short-directory.js';

// A slow client is dropped after two seconds of real time, so that these tests run beside each other.
tap.jobs = 8;

/** A test with a status server that answers a counter, and has nothing left afterwards. */
function statusTest(
  title: string,
  body: (t: Test, path: string, status: StatusServer) => Promise<void>,
): void {
  tap.test(title, { buffered: true }, async (t) => {
    const path = join(shortDirectory(t), 's');
    const server = new TapdiskServer({ logger: nullLogger });
    let asked = 0;
    const status = new StatusServer({
      registrar: server,
      posix: server.posix,
      logger: nullLogger,
      path,
      status: () => ({ asked: ++asked }),
    });
    const run = server.run({ signals: false });
    try {
      await body(t, path, status);
      status[Symbol.dispose]();
      t.notOk(existsSync(path), 'the socket is gone');
      t.same(server.posix.openDescriptors(), [], 'no descriptor is left');
      t.same([...server.scheduler.events()], [], 'no event is left');
    } finally {
      server.stop();
      await run;
    }
  });
}

async function client(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const everything = async (socket: Socket): Promise<string> => String(Buffer.concat(await socket.toArray()));
/** With more patience than the command has, for machines that do much else. */
const query = (path: string, timeoutSeconds = 60): Promise<object> =>
  queryStatus(new NodePosix(), path, timeoutSeconds);

statusTest('each request is answered with the status of that moment, to its owner alone', async (t, path) => {
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(await query(path), { asked: 1 });
  t.same(await query(path), { asked: 2 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => query(path)));
  t.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 50);
});

statusTest('a request sent in pieces is one request', async (t, path) => {
  const socket = await client(path);
  socket.setNoDelay();
  for (const piece of 'status\n') {
    await new Promise((resolve) => {
      socket.write(piece, resolve);
    });
  }
  t.equal(await everything(socket), '{"asked":1}\n');
});

statusTest('an invalid request gets an error instead of a status', async (t, path) => {
  for (const text of [
    '\n',
    'state\n',
    'status \n',
    'STATUS\n',
    'GET / HTTP/1.1\r\n\r\n',
    '\0\0\0\n',
    'x'.repeat(1000),
  ]) {
    const socket = await client(path);
    socket.write(text);
    t.equal(await everything(socket), '{"error":"expected the line \\"status\\""}\n', JSON.stringify(text));
    socket.destroy();
  }
  t.same(await query(path), { asked: 1 });
});

statusTest(
  'a request that has 64 bytes and no end is refused, and no shorter one',
  async (t, path, status) => {
    const socket = await client(path);
    await new Promise((resolve) => socket.write('x'.repeat(63), resolve));
    t.same(await query(path), { asked: 1 });
    t.equal(status.connections, 1, 'more of it may come');
    socket.write('x');
    t.match(await everything(socket), /^\{"error":/);
    socket.destroy();
  },
);

statusTest('32 requests are under way at once, and further ones wait', async (t, path, status) => {
  const silent = await Promise.all(Array.from({ length: 40 }, () => client(path)));
  // The server accepts all that it takes in a turn or two.
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  t.equal(status.connections, 32);
  for (const socket of silent) socket.destroy();
});

statusTest('half a request blocks nobody, and is dropped after two seconds', async (t, path) => {
  const half = await client(path);
  half.write('stat');
  const closed = once(half, 'end');
  half.resume();
  t.same(await query(path), { asked: 1 });
  await closed;
  half.destroy();
});

tap.test('a client has two seconds', { buffered: true }, async (t) => {
  const path = join(shortDirectory(t), 's');
  await using server = new TapdiskServer({ logger: nullLogger });
  const run = server.run({ signals: false });
  const { posix } = server;
  const status = () => ({});
  const served = new StatusServer({ registrar: server, posix, logger: nullLogger, path, status });
  const silent = await client(path);
  const timeouts = (): number[] =>
    [...server.scheduler.events()]
      .map(({ timeoutSeconds }) => timeoutSeconds)
      .filter((seconds) => seconds > 0);
  while (timeouts().length === 0) await new Promise(setImmediate);
  // The second in which it begins is not counted.
  t.same([...new Set(timeouts())], [2 + 1]);
  silent.destroy();
  served[Symbol.dispose]();
  server.stop();
  await run;
});

statusTest(
  'clients that connect and send nothing do not keep others from a reply',
  async (t, path, status) => {
    const silent = await Promise.all(Array.from({ length: MAX_STATUS_CONNECTIONS + 10 }, () => client(path)));
    t.match(await query(path, 10), { asked: 1 });
    t.ok(status.connections <= MAX_STATUS_CONNECTIONS);
    for (const socket of silent) socket.destroy();
  },
);

statusTest('a client that never reads, or leaves before its answer, costs nothing', async (t, path) => {
  const deaf = await client(path);
  deaf.pause();
  deaf.write('status\n');
  const gone = await client(path);
  gone.write('status\n', () => gone.destroy());
  const flood = await client(path);
  flood.write(Buffer.alloc(1_000_000));
  await query(path);
  deaf.destroy();
  flood.destroy();
  t.match(await query(path), { asked: 4 });
});

/** Something that serves a socket, and is no status server. */
async function otherServer(t: Test, serve: (socket: Socket) => void): Promise<string> {
  const path = join(shortDirectory(t), 's');
  const other: Server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  other.listen(path);
  await once(other, 'listening');
  t.teardown(() => other.close());
  return path;
}

tap.test('an invalid answer is an error of the client', { buffered: true }, async (t) => {
  for (const answer of ['null\n', '"x"\n', '{"asked":', 'hello\n']) {
    const path = await otherServer(t, (socket) => socket.end(answer));
    await t.rejects(query(path), { code: 'EPROTO', message: `${path}: the reply is not a status` }, answer);
  }
});

tap.test(
  'an answer that is empty is a connection lost, as when the program ends',
  { buffered: true },
  async (t) => {
    const path = await otherServer(t, (socket) => socket.end());
    await t.rejects(query(path), { code: 'ECONNRESET', message: `${path}: closed without a reply` });
  },
);

tap.test('an answer may have at most 64 KiB', { buffered: true }, async (t) => {
  const answerOf = (bytes: number): string =>
    JSON.stringify({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
  const most = await otherServer(t, (socket) => socket.end(answerOf(65_536)));
  t.equal(JSON.stringify(await query(most, 10)).length, 65_536);
  const more = await otherServer(t, (socket) => socket.end(answerOf(65_537)));
  await t.rejects(query(more, 10), { code: 'EMSGSIZE' });
});

tap.test('a request that cannot be sent is an error, whatever comes back', { buffered: true }, async (t) => {
  class Mute extends NodePosix {
    override write(): number {
      return -errno.EPIPE;
    }
  }
  const path = await otherServer(t, (socket) => socket.end('{}\n'));
  const posix = new Mute();
  await t.rejects(queryStatus(posix, path), { code: 'EPIPE', message: `${path}: broken pipe` });
  t.same(posix.openDescriptors(), []);
});

tap.test('an endless answer, or none at all, is given up', { buffered: true }, async (t) => {
  const endless = await otherServer(t, (socket) => {
    socket.on('drain', () => socket.write(Buffer.alloc(100_000, '1')));
    socket.write(Buffer.alloc(100_000, '1'));
  });
  await t.rejects(query(endless), { code: 'EMSGSIZE' });
  const mute = await otherServer(t, (socket) => {
    t.teardown(() => socket.destroy());
  });
  await t.rejects(query(mute, 0.1), { code: 'ETIMEDOUT', message: `${mute}: no answer in time` });
});

tap.test('a stale socket is distinguished from a missing one', { buffered: true }, async (t) => {
  const directory = shortDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  await t.rejects(query(join(directory, 'none')), { code: 'ENOENT' });
  await t.rejects(query(join(directory, 'file')), { code: 'ECONNREFUSED' });
  await t.rejects(query('x'.repeat(200)), { code: 'ENAMETOOLONG', message: /has 200 bytes, but/ });
});

tap.test('a socket is created only where no file exists', { buffered: true }, async (t) => {
  const directory = shortDirectory(t);
  const posix = new NodePosix();
  await using server = new TapdiskServer({ logger: nullLogger });
  const options = { registrar: server, posix: server.posix, logger: nullLogger, status: () => ({}) };
  const path = join(directory, 's');
  const first = new StatusServer({ ...options, path });
  t.throws(() => new StatusServer({ ...options, path }), { code: 'EADDRINUSE' });
  first[Symbol.dispose]();
  writeFileSync(path, 'precious');
  t.throws(() => new StatusServer({ ...options, path }), { code: 'EADDRINUSE' });
  t.throws(() => new StatusServer({ ...options, path: join(directory, 'none', 's') }), { code: 'ENOENT' });
  const long = join(directory, 'x'.repeat(200));
  const tooLong = `${long} has ${long.length} bytes, but the path of a socket at most 107`;
  t.throws(() => new StatusServer({ ...options, path: long }), { code: 'ENAMETOOLONG', message: tooLong });
  t.same(server.posix.openDescriptors(), []);
  t.same(posix.openDescriptors(), []);
});

tap.test('where others could put a socket none is made, and none is asked', { buffered: true }, async (t) => {
  const directory = shortDirectory(t);
  const path = join(directory, 's');
  await using server = new TapdiskServer({ logger: nullLogger });
  const options = { registrar: server, posix: server.posix, logger: nullLogger, status: () => ({}) };
  using _made = new StatusServer({ ...options, path });
  chmodSync(directory, 0o777);
  const refused = { code: 'EPERM', message: /others can write to/ };
  t.throws(() => new StatusServer({ ...options, path: join(directory, 'other') }), refused);
  await t.rejects(query(path), refused);
});

statusTest('a program has two seconds for its answer unless it is given others', async (t, path) => {
  const posix = new UnansweredPosix();
  const unanswered = { name: 'StatusError', code: 'ETIMEDOUT', message: `${path}: no answer in time` };
  await t.rejects(queryStatus(posix, path), unanswered);
  await t.rejects(queryStatus(posix, path, 7), unanswered);
  t.match(posix.waits.map(Math.round), [2, 7]);
  t.same(posix.openDescriptors(), []);
});
