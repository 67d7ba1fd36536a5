// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The connect module on Node's sockets. What it does call by call is what the conformance vectors are about.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { freePort } from '../../scripts/free-port.js';
import { AF_INET, errno, type Inet4Address, NodePosix } from '../../src/posix/index.js';
import { F_GETFL, F_SETFL, O_NONBLOCK, SO_REUSEADDR, SOL_SOCKET } from '../../src/posix/posix.js';
import { tdAsyncIo } from '../../src/replication/async-io.js';
import {
  CONNECTION_CLOSED,
  CONNECTION_ESTABLISHED,
  CONNECTION_IN_PROGRESS,
  CONNECTION_NONE,
  ERROR_CONNECTION,
  ERROR_INTERNAL,
  type TdReplicationConnect,
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectInit,
  tdReplicationConnectInitAsync,
  tdReplicationConnectKill,
  tdReplicationConnectStatus,
  tdReplicationServerRestart,
  tdReplicationServerStart,
} from '../../src/replication/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';

/** A struct whose callback's results can be waited for, each with the iterations of its server that it takes. */
function connectOn(server: TapdiskServer, given: Partial<TdReplicationConnect<NodePosix>> = {}) {
  const results: number[] = [];
  const t = tdReplicationConnect({
    server,
    posix: server.posix,
    logger: nullLogger,
    callback: (_t, rc) => void results.push(rc),
    logPrefix: 'test',
    retryTimeoutS: 1,
    maxConnections: 1,
    fd: -1,
    ...given,
  });
  const nextResult = async (): Promise<number> => {
    while (results.length === 0) await server.iterate();
    return results.shift() as number;
  };
  return { t, nextResult };
}

function quietServer(posix = new NodePosix()): TapdiskServer {
  return new TapdiskServer({ posix, logger: nullLogger });
}

t.test('a client that is refused connects on the same descriptor number once the server is up', async (t) => {
  await using clientSide = quietServer();
  await using serverSide = quietServer();
  const address = `127.0.0.1:${await freePort()}`;
  const client = connectOn(clientSide);
  t.equal(tdReplicationConnectInit(client.t, address), 0);
  t.equal(tdReplicationClientStart(client.t), 0);
  const { fd } = client.t;
  // The first attempt, and its refusal: then the retry is an event that was not there before.
  const firstId = client.t.id;
  while (client.t.id < firstId + 2) await clientSide.iterate();
  t.equal(tdReplicationConnectStatus(client.t), 0);

  const server = connectOn(serverSide);
  t.equal(tdReplicationConnectInit(server.t, address), 0);
  t.equal(tdReplicationServerStart(server.t), 0);
  const [clientResult, serverResult] = await Promise.all([client.nextResult(), server.nextResult()]);
  t.equal(clientResult, 0);
  t.equal(serverResult, 0);
  t.equal(client.t.fd, fd);
  t.equal(tdReplicationConnectStatus(client.t), 1);
  tdReplicationConnectKill(client.t);
  tdReplicationConnectKill(server.t);
  t.equal(client.t.status, CONNECTION_CLOSED);
  t.same(clientSide.posix.openDescriptors(), []);
  t.same(serverSide.posix.openDescriptors(), []);
  t.same([...clientSide.scheduler.events()], []);
});

t.test(
  'a second client is closed while one is established; after a restart the next one is taken',
  async (t) => {
    await using serverSide = quietServer();
    const server = connectOn(serverSide);
    tdReplicationConnectInit(server.t, '127.0.0.1:0');
    t.equal(tdReplicationServerStart(server.t), 0);
    const { port } = serverSide.posix.getsockname(server.t.listenFd) as Inet4Address;

    const first = connect(port, '127.0.0.1');
    t.equal(await server.nextResult(), 0);
    const firstFd = server.t.fd;
    const second = connect(port, '127.0.0.1').resume();
    const state = { closed: false };
    second.on('error', () => {}).on('close', () => (state.closed = true));
    while (!state.closed) {
      serverSide.setMaxTimeout(0);
      await serverSide.iterate();
    }
    t.equal(server.t.status, CONNECTION_ESTABLISHED);
    t.equal(server.t.fd, firstFd);

    t.equal(tdReplicationServerRestart(server.t), 0);
    const third = connect(port, '127.0.0.1');
    t.equal(await server.nextResult(), 0);
    tdReplicationConnectKill(server.t);
    first.destroy();
    third.destroy();
  },
);

t.test(
  'a server on a port in use fails with -1, on an address this host does not have with -2, and leaves nothing open',
  async (t) => {
    await using serverSide = quietServer();
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { t: struct } = connectOn(serverSide);
    tdReplicationConnectInit(struct, `127.0.0.1:${(busy.address() as AddressInfo).port}`);
    t.equal(tdReplicationServerStart(struct), -1);
    tdReplicationConnectInit(struct, '192.0.2.1:9000');
    t.equal(tdReplicationServerStart(struct), -2);
    t.same(serverSide.posix.openDescriptors(), []);
    busy.close();
  },
);

t.test('a status that is none of the four is -2, and logged', async (t) => {
  await using server = quietServer();
  const lines: string[] = [];
  const { t: struct } = connectOn(server, { logger: { log: (_, line) => void lines.push(line) } });
  t.equal(tdReplicationConnectStatus(struct), -1);
  struct.status = 77;
  t.equal(tdReplicationConnectStatus(struct), -2);
  t.match(lines, [/corrupt/]);
});

t.test('init returns -ENOENT for what is not a host and port', async (t) => {
  await using server = quietServer();
  const { t: struct } = connectOn(server);
  for (const name of [
    '127.0.0.1',
    ':9000',
    '127.0.0.1:99999',
    '127.0.0.1:',
    '127.0.0.1:-1',
    '[::1]:9000',
    '',
  ]) {
    t.equal(tdReplicationConnectInit(struct, name), -errno.ENOENT, name);
    t.equal(await tdReplicationConnectInitAsync(struct, name), -errno.ENOENT, `${name}, looked up`);
  }
});

t.test('a lookup does not block the loop, and its result is available later', async (t) => {
  let answer: (addresses: { address: string; family: number }[]) => void = () => {};
  const posix = new NodePosix({ lookup: () => new Promise((resolve) => (answer = resolve)) });
  await using server = new TapdiskServer({ posix, logger: nullLogger });
  const { t: struct } = connectOn(server);
  t.equal(tdReplicationConnectInit(struct, 'backup:9000'), -errno.ENOENT, 'not looked up yet');
  const init = tdReplicationConnectInitAsync(struct, 'backup:9000');
  for (let wait = 0; wait < 10; wait++) {
    server.setMaxTimeout(0);
    t.equal(await server.iterate(), 0);
  }
  answer([
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]);
  t.equal(await init, 0);
  t.same(struct.sa, { family: AF_INET, address: '127.0.0.1', port: 9000 });
});

t.test('a name of one letter is looked up, and what names no port is not', async (t) => {
  const names: string[] = [];
  const posix = new NodePosix({
    lookup: (name) => {
      names.push(name);
      return Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    },
  });
  await using server = new TapdiskServer({ posix, logger: nullLogger });
  const { t: struct } = connectOn(server);
  t.equal(await tdReplicationConnectInitAsync(struct, 'b:9000'), 0);
  t.equal(await tdReplicationConnectInitAsync(struct, 'backup'), -errno.ENOENT);
  t.same(names, ['b']);
});

t.test('a name that does not exist gives -ENOENT', async (t) => {
  const posix = new NodePosix({
    lookup: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
  });
  await using server = new TapdiskServer({ posix, logger: nullLogger });
  const { t: struct } = connectOn(server);
  t.equal(await tdReplicationConnectInitAsync(struct, 'nowhere.invalid:9000'), -errno.ENOENT);
});

t.test('a struct is zero-filled but for what is given, and so is that of a transfer', async (t) => {
  await using server = quietServer();
  const { posix } = server;
  const callback = (): void => {};
  const struct = tdReplicationConnect({ server, posix, logger: nullLogger, callback });
  t.match(struct, {
    logPrefix: '',
    retryTimeoutS: 0,
    maxConnections: 0,
    fd: 0,
    listenFd: 0,
    id: 0,
    status: 0,
  });
  t.same(struct.sa, { family: AF_INET, address: '0.0.0.0', port: 0 });
  const zeroes = { fd: 0, timeoutS: 0, mode: 0, size: 0, timeoutId: 0, ioId: 0, used: 0, running: 0 };
  const taio = tdAsyncIo({ server, posix });
  t.match(taio, zeroes);
  t.same([taio.buff.length, taio.callback], [0, undefined]);
});

/** Sockets on which one call fails once. */
class FailsOnce extends NodePosix {
  readonly flags: number[] = [];
  readonly options: number[][] = [];
  fails: 'socket' | 'setsockopt' | 'listen' | 'F_GETFL' | 'F_SETFL' | undefined;

  #failed(call: typeof this.fails): boolean {
    if (this.fails !== call) return false;
    this.fails = undefined;
    return true;
  }
  override socket(...args: Parameters<NodePosix['socket']>): number {
    return this.#failed('socket') ? -errno.EMFILE : super.socket(...args);
  }
  override setsockopt(...args: Parameters<NodePosix['setsockopt']>): number {
    this.options.push(args.slice(1));
    return this.#failed('setsockopt') ? -errno.EINVAL : super.setsockopt(...args);
  }
  override listen(fd: number, backlog: number): number {
    return this.#failed('listen') ? -errno.EADDRINUSE : super.listen(fd, backlog);
  }
  override fcntl(fd: number, command: number, argument?: number): number {
    if (command === F_SETFL) this.flags.push(argument ?? 0);
    return this.#failed(command === F_GETFL ? 'F_GETFL' : 'F_SETFL')
      ? -errno.EINVAL
      : super.fcntl(fd, command, argument);
  }
}

for (const [code, isTriedAgain] of [
  ['ECONNREFUSED', true],
  ['ENETUNREACH', true],
  ['EAGAIN', true],
  ['ECONNABORTED', true],
  ['ETIMEDOUT', true],
  ['EHOSTUNREACH', false],
  ['EACCES', false],
] as const) {
  t.test(`an attempt that fails with ${code} is ${isTriedAgain ? '' : 'not '}tried again`, async (t) => {
    const posix = new NodePosix();
    posix.connect = () => -errno[code];
    await using server = quietServer(posix);
    const client = connectOn(server);
    t.equal(tdReplicationConnectInit(client.t, '127.0.0.1:9000'), 0);
    t.equal(tdReplicationClientStart(client.t), 0);
    const { id } = client.t;
    while (client.t.id === id) await server.iterate();
    t.equal(client.t.status, isTriedAgain ? CONNECTION_IN_PROGRESS : CONNECTION_CLOSED);
    if (!isTriedAgain) t.equal(await client.nextResult(), ERROR_CONNECTION);
    tdReplicationConnectKill(client.t);
  });
}

t.test('a call that fails at the start is -1, leaves nothing, and the next start succeeds', async (t) => {
  for (const [start, calls] of [
    [tdReplicationServerStart, ['socket', 'listen']],
    [tdReplicationClientStart, ['socket', 'F_SETFL']],
  ] as const) {
    for (const call of calls) {
      const posix = new FailsOnce();
      await using server = quietServer(posix);
      const { t: struct } = connectOn(server);
      tdReplicationConnectInit(struct, '127.0.0.1:0');
      posix.fails = call;
      t.equal(start(struct), -1, call);
      t.same(posix.openDescriptors(), []);
      t.equal(tdReplicationConnectStatus(struct), -1);
      t.equal(start(struct), 0);
      t.equal(start(struct), -1, 'it is in progress');
      t.equal(tdReplicationConnectStatus(struct), 0);
      tdReplicationConnectKill(struct);
      t.same([posix.openDescriptors(), [...server.scheduler.events()]], [[], []]);
    }
  }
});

t.test('a start does without what it only tries to set or to know', async (t) => {
  const posix = new FailsOnce();
  await using server = quietServer(posix);
  const { t: struct } = connectOn(server);
  tdReplicationConnectInit(struct, '127.0.0.1:0');
  posix.fails = 'setsockopt';
  t.equal(tdReplicationServerStart(struct), 0);
  t.equal(posix.fails, undefined);
  t.same(posix.options, [[SOL_SOCKET, SO_REUSEADDR, 1]]);
  tdReplicationConnectKill(struct);
  posix.fails = 'F_GETFL';
  t.equal(tdReplicationClientStart(struct), 0);
  t.same(posix.flags, [O_NONBLOCK], 'flags that are not known count as none');
  tdReplicationConnectKill(struct);
});

t.test('a start on a server that registers no events is -1, and leaves nothing open', async (t) => {
  const server = quietServer();
  server.stop();
  for (const start of [tdReplicationServerStart, tdReplicationClientStart]) {
    const { t: struct } = connectOn(server);
    tdReplicationConnectInit(struct, '127.0.0.1:0');
    t.equal(start(struct), -1);
    t.equal(struct.status, 0);
    t.same(server.posix.openDescriptors(), []);
  }
});

t.test('a restart of a client that was closed, or never started, starts a server', async (t) => {
  await using server = quietServer();
  const { t: struct } = connectOn(server);
  tdReplicationConnectInit(struct, '127.0.0.1:0');
  t.equal(tdReplicationServerRestart(struct), 0);
  t.ok(struct.listenFd >= 0);
  t.equal(tdReplicationServerRestart(struct), 0, 'and leaves one in progress as it is');
  tdReplicationConnectKill(struct);
  t.equal(tdReplicationServerRestart(struct), 0);
  tdReplicationConnectKill(struct);
  struct.status = 77;
  t.equal(tdReplicationServerRestart(struct), -1);
});

t.test('an init takes over no event and no listener, and what was given to read from stays', async (t) => {
  await using server = quietServer();
  const { t: its } = connectOn(server, { fd: 9, listenFd: 7, id: 5, status: CONNECTION_CLOSED });
  t.equal(tdReplicationConnectInit(its, '127.0.0.1:9000'), 0);
  t.match(its, { fd: 9, listenFd: -1, id: -1, status: CONNECTION_NONE });
  t.match(its.sa, { family: AF_INET, address: '127.0.0.1', port: 9000 });
  t.equal(tdReplicationConnectStatus(its), -1);
});

t.test('a kill leaves nothing that a second one, or a close of the same numbers, could meet', async (t) => {
  await using server = quietServer();
  const { t: its } = connectOn(server);
  t.equal(tdReplicationConnectInit(its, `127.0.0.1:${await freePort()}`), 0);
  tdReplicationConnectKill(its);
  t.equal(its.status, CONNECTION_NONE, 'there was nothing');
  t.equal(tdReplicationServerStart(its), 0);
  t.ok(its.listenFd >= 0 && its.id >= 0);
  t.equal(tdReplicationConnectStatus(its), 0);
  tdReplicationConnectKill(its);
  t.match(its, { fd: -1, listenFd: -1, id: -1, status: CONNECTION_CLOSED });
  tdReplicationConnectKill(its);
  t.equal(its.status, CONNECTION_CLOSED);
  t.same([ERROR_INTERNAL, ERROR_CONNECTION], [-1, -2], 'what callbacks get');
});
