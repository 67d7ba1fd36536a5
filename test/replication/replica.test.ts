// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { getEventListeners, once } from 'node:events';
import { BlockList, connect, createServer, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { errno, type Inet4Address, NodePosix, type SocketAddress } from '../../src/posix/index.js';
import { IPPROTO_TCP, TCP_KEEPALIVE_PROBES, TCP_KEEPIDLE } from '../../src/posix/posix.js';
import { connectReplica, ReplicaError, serveReplica } from '../../src/replication/index.js';
import { checkPort, warnUnlessRunning } from '../../src/replication/replica-host.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { goneClient } from '../posix/gone-client.js';

const LOOPBACK = '127.0.0.1';

/** A server that runs until the test has ended. Nothing on it closes what is not open: the number may be another's by then. */
async function running(t: Test, posix = new NodePosix()): Promise<TapdiskServer> {
  const close = posix.close.bind(posix);
  posix.close = (fd) => {
    const result = close(fd);
    if (result < 0) t.fail(`descriptor ${fd} is closed, but not open`);
    return result;
  };
  const server = new TapdiskServer({ posix, logger: nullLogger });
  const run = server.run({ signals: false });
  t.teardown(async () => {
    await server[Symbol.asyncDispose]();
    await run;
  });
  return server;
}

/** A posix whose names are those given. */
function withNames(names: Record<string, string[]>, more: object = {}): NodePosix {
  return new NodePosix({
    lookup: async (host) => {
      const addresses = names[host];
      if (addresses === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      return addresses.map((address) => ({ address }));
    },
    ...more,
  });
}

async function plainServer(t: Test, host = LOOPBACK): Promise<number> {
  const server = createServer((socket) => socket.pipe(socket).on('error', () => {})).listen(0, host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const portOf = (address: SocketAddress): number => (address as Inet4Address).port;

/** The first bytes that come, as text. */
async function firstText(socket: Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString();
}

t.test('connectReplica gives a Node stream, on a server of its own unless one is given', async (t) => {
  const port = await plainServer(t);
  for (const server of [undefined, await running(t)]) {
    const socket = await connectReplica({ host: LOOPBACK, port, ...(server && { server }) });
    socket.write('echo');
    t.equal(await firstText(socket), 'echo');
    socket.destroy();
    t.same(server?.posix.openDescriptors() ?? [], [], 'no descriptor is left');
    t.equal(server?.scheduler.size ?? 0, 0);
  }
});

t.test('the addresses of a name are tried in turn', async (t) => {
  const port = await plainServer(t);
  const server = await running(t, withNames({ backup: ['::1', '127.0.0.2', LOOPBACK] }));
  const socket = await connectReplica({ host: 'backup', port, server });
  t.equal(socket.remoteAddress, LOOPBACK);
  socket.destroy();
});

t.test(
  'a backup that is away is tried again after the retry time, with its name looked up anew',
  async (t) => {
    const names: Record<string, string[]> = {};
    let lookups = 0;
    const port = await plainServer(t);
    const posix = new NodePosix({
      lookup: async (host) => {
        lookups += 1;
        if (lookups === 1) throw Object.assign(new Error('for now'), { code: 'EAI_AGAIN' });
        return (names[host] ?? ['127.0.0.2']).map((address) => ({ address }));
      },
    });
    let seconds = 0;
    const server = new TapdiskServer({
      posix,
      clock: { now: () => seconds },
      logger: {
        log: (_priority, message) => {
          if (!message.includes('next attempt')) return;
          if (message.startsWith('no address responds')) names['backup'] = [LOOPBACK];
          // The retry time is over as soon as it begins; a cap keeps the wait from sleeping through it.
          setImmediate(() => {
            seconds += 5;
            server.setMaxTimeout(0);
          });
        },
      },
    });
    const run = server.run({ signals: false });
    const socket = await connectReplica({ host: 'backup', port, server, retryTimeoutSeconds: 5 });
    t.equal(lookups, 3);
    socket.destroy();
    server.stop();
    await run;
  },
);

t.test('an abort ends the attempt in any state with its reason, and leaves nothing', async (t) => {
  const reason = new Error('enough');
  await t.rejects(connectReplica({ host: LOOPBACK, port: 1, signal: AbortSignal.abort(reason) }), reason);

  const server = await running(t, withNames({}, { lookup: () => new Promise(() => {}) }));
  for (const host of ['never.answers', LOOPBACK]) {
    const abort = new AbortController();
    const attempt = connectReplica({ host, port: 1, server, signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await t.rejects(attempt, reason, host);
    t.same(server.posix.openDescriptors(), []);
    t.equal(server.scheduler.size, 0);
  }
});

t.test('a signal has no listener left once there is a connection, or none any more', async (t) => {
  const server = await running(t, withNames({}));
  const { signal } = new AbortController();
  const listener = await serveReplica({ host: LOOPBACK, port: 0, server, signal });
  const port = portOf(listener.address);
  t.ok(getEventListeners(signal, 'abort').length > 0);
  listener.close();
  t.same(getEventListeners(signal, 'abort'), []);
  const served = await serveReplica({ host: LOOPBACK, port: 0, server });
  const socket = await connectReplica({ host: LOOPBACK, port: portOf(served.address), server, signal });
  t.same(getEventListeners(signal, 'abort'), []);
  socket.destroy();
  served.close();
  await t.rejects(connectReplica({ host: 'nowhere', port, server, signal }));
  t.same(getEventListeners(signal, 'abort'), []);
});

t.test('after an abort during the lookup its result is not used', async (t) => {
  let answer: (addresses: { address: string }[]) => void = () => {};
  const server = await running(
    t,
    new NodePosix({ lookup: () => new Promise((resolve) => (answer = resolve)) }),
  );
  const abort = new AbortController();
  const attempt = connectReplica({ host: 'slow', port: 1, server, signal: abort.signal });
  abort.abort();
  await t.rejects(attempt, { name: 'AbortError' });
  server.posix.connect = () => {
    t.fail('no attempt is made');
    return -errno.ECONNREFUSED;
  };
  answer([{ address: LOOPBACK }]);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  t.same(server.posix.openDescriptors(), []);
  t.equal(server.scheduler.size, 0);
});

t.test('a failure that cannot be retried is an error with a stable code', async (t) => {
  const server = await running(t, withNames({ empty: [] }, { maxDescriptors: 4 }));
  await t.rejects(connectReplica({ host: 'nowhere', port: 1, server }), {
    code: 'EAI_NONAME',
    message: /nowhere: Name or service/,
  });
  const deny = new BlockList();
  deny.addAddress(LOOPBACK);
  await t.rejects(connectReplica({ host: LOOPBACK, port: 1, server, deny }), {
    code: 'EACCES',
    message: /none of its 1 addresses/,
  });
  server.posix.eventfd();
  await t.rejects(connectReplica({ host: LOOPBACK, port: 1, server }), { code: 'EMFILE' });
});

t.test(
  'an error of connect that is none of those that are retried ends the attempt with its name',
  async (t) => {
    /** Whatever a connect came to, it was that. */
    class Forbids extends NodePosix {
      override getsockopt(fd: number, level: number, option: number): number {
        return super.getsockopt(fd, level, option) === 0 ? 0 : errno.EACCES;
      }
    }
    const server = await running(t, new Forbids());
    const attempt = connectReplica({ host: LOOPBACK, port: 1, server });
    await t.rejects(attempt, { constructor: ReplicaError, code: 'EACCES' });
    t.same(server.posix.openDescriptors(), []);
  },
);

t.test('a server without room for events is an error, and leaves no descriptor', async (t) => {
  const posix = new NodePosix();
  const server = new TapdiskServer({ posix, logger: nullLogger });
  server.stop();
  await t.rejects(connectReplica({ host: LOOPBACK, port: 1, server }), { code: 'ECANCELED' });
  await t.rejects(serveReplica({ host: LOOPBACK, port: 0, server }), { code: 'ECANCELED' });
  t.same(posix.openDescriptors(), []);
});

t.test('every port and retry time in range is taken', async (t) => {
  const lines: string[] = [];
  for (const options of [{}, { retryTimeoutSeconds: 1 }, { retryTimeoutSeconds: 2 ** 31 - 1 }]) {
    const abort = new AbortController();
    const posix = withNames(
      {},
      { lookup: () => Promise.reject(Object.assign(new Error(), { code: 'EAI_AGAIN' })) },
    );
    const log = (_: number, line: string): void => {
      lines.push(line);
      abort.abort();
    };
    const server = new TapdiskServer({ posix, logger: { log } });
    const run = server.run({ signals: false });
    await t.rejects(
      connectReplica({ host: 'away', port: 65_535, server, signal: abort.signal, ...options }),
      {
        name: 'AbortError',
      },
    );
    server.stop();
    await run;
  }
  t.match(lines, [
    /^away: .*; next attempt in 1 s$/,
    /next attempt in 1 s$/,
    /next attempt in 2147483647 s$/,
  ]);
  for (const [port, least] of [
    [0, 0],
    [1, 1],
    [65_535, 1],
  ] as const)
    t.doesNotThrow(() => checkPort(port, least), String(port));
});

t.test('ports and retry times out of range are refused by name', async (t) => {
  const server = await running(t);
  for (const port of [0, -1, 65_536, 1.5, Number.NaN]) {
    await t.rejects(connectReplica({ host: LOOPBACK, port, server }), {
      name: 'RangeError',
      message: /from 1 to 65535/,
    });
  }
  await t.rejects(serveReplica({ host: LOOPBACK, port: 65_536, server }), { message: /from 0 to 65535/ });
  for (const retryTimeoutSeconds of [0, 0.5, 2 ** 31]) {
    await t.rejects(connectReplica({ host: LOOPBACK, port: 1, server, retryTimeoutSeconds }), {
      message: /retryTimeoutSeconds/,
    });
  }
});

t.test('serveReplica returns one connection at a time, and rejects others meanwhile', async (t) => {
  const server = await running(t);
  const listener = await serveReplica({ host: LOOPBACK, port: 0, server });
  const connections = listener[Symbol.asyncIterator]();
  const port = portOf(listener.address);

  const first = await connectReplica({ host: LOOPBACK, port });
  const { value: given } = (await connections.next()) as { value: Socket };
  first.write('hello');
  t.equal(await firstText(given), 'hello');

  const second = connect(port, LOOPBACK).resume();
  await once(second, 'close');
  t.pass('the second was closed');

  const givenClosed = once(given, 'close');
  given.destroy();
  first.destroy();
  await givenClosed;
  const third = connect(port, LOOPBACK);
  const { value: next } = (await connections.next()) as { value: Socket };
  t.equal(next.remotePort, third.localPort);
  next.destroy();
  third.destroy();
  listener.close();
  listener.close();
  t.same(await connections.next(), { done: true, value: undefined });
});

/** Sockets that write down which backlogs and which keepalive times were asked for. */
class Recording extends NodePosix {
  readonly backlogs: number[] = [];
  readonly idleSeconds: number[] = [];

  override listen(fd: number, backlog: number): number {
    this.backlogs.push(backlog);
    return super.listen(fd, backlog);
  }
  override setsockopt(fd: number, level: number, option: number, value: number): number {
    if (level === IPPROTO_TCP && option === TCP_KEEPIDLE) this.idleSeconds.push(value);
    return super.setsockopt(fd, level, option, value);
  }
}

t.test('the backlog is 1 unless another one is given', async (t) => {
  const posix = new Recording();
  const server = await running(t, posix);
  for (const more of [{}, { maxConnections: 7 }]) {
    using listener = await serveReplica({ host: LOOPBACK, port: 0, server, ...more });
    t.ok(listener.address);
  }
  t.same(posix.backlogs, [1, 7]);
});

t.test(
  'both sides detect a silent host after 30 s, or after the time given, or leave it to the kernel',
  async (t) => {
    const posix = new Recording();
    const server = await running(t, posix);
    for (const more of [{}, { silenceSeconds: 12 }, { silenceSeconds: 0 }]) {
      using listener = await serveReplica({ host: LOOPBACK, port: 0, server, ...more });
      const accepted = listener.accept();
      const socket = await connectReplica({
        host: LOOPBACK,
        port: portOf(listener.address),
        server,
        ...more,
      });
      (await accepted).destroy();
      socket.destroy();
    }
    const idle = (seconds: number): number => seconds - TCP_KEEPALIVE_PROBES;
    t.same(posix.idleSeconds, [idle(30), idle(30), idle(12), idle(12)]);
  },
);

t.test('peers are admitted by address', async (t) => {
  const server = await running(t);
  const allow = new BlockList();
  allow.addAddress('127.0.0.2');
  const deny = new BlockList();
  deny.addAddress('127.0.0.3');
  allow.addAddress('127.0.0.3');
  using listener = await serveReplica({ host: LOOPBACK, port: 0, server, allow, deny });
  const connections = listener[Symbol.asyncIterator]();
  const port = portOf(listener.address);
  for (const localAddress of [LOOPBACK, '127.0.0.3']) {
    await once(connect({ port, host: LOOPBACK, localAddress }).resume(), 'close');
  }
  const socket = connect({ port, host: LOOPBACK, localAddress: '127.0.0.2' });
  const { value: given } = (await connections.next()) as { value: Socket };
  t.equal(given.remoteAddress, '127.0.0.2');
  given.destroy();
  socket.destroy();
});

t.test('a peer that was reset before anybody could see its address is not admitted', async (t) => {
  const server = await running(t);
  const allow = new BlockList();
  allow.addAddress(LOOPBACK);
  using listener = await serveReplica({ host: LOOPBACK, port: 0, server, allow });
  const port = portOf(listener.address);
  goneClient(port);
  const socket = connect({ port, host: LOOPBACK });
  const { value: given } = (await listener[Symbol.asyncIterator]().next()) as { value: Socket };
  t.equal(given.remotePort, (socket.address() as AddressInfo).port, 'the next one is the first');
  given.destroy();
  socket.destroy();
});

t.test('IPv6 is served and connected to', async (t) => {
  const server = await running(t);
  using listener = await serveReplica({ host: '::1', port: 0, server, deny: new BlockList() });
  const socket = await connectReplica({ host: '::1', port: portOf(listener.address), server });
  const { value: given } = (await listener[Symbol.asyncIterator]().next()) as { value: Socket };
  t.equal(given.remoteFamily, 'IPv6');
  given.destroy();
  socket.destroy();
});

t.test('a listener is closed by its signal, with a connection that was never accepted', async (t) => {
  const server = await running(t);
  const abort = new AbortController();
  const listener = await serveReplica({ host: LOOPBACK, port: 0, server, signal: abort.signal });
  const socket = connect(portOf(listener.address), LOOPBACK);
  socket.on('error', () => {}).resume();
  const closed = new Promise((resolve) => socket.on('close', resolve));
  // A second client is turned away: then the first one has been accepted.
  await once(connect(portOf(listener.address), LOOPBACK).resume(), 'close');
  abort.abort();
  await closed;
  t.same(server.posix.openDescriptors(), []);
  t.same(await listener[Symbol.asyncIterator]().next(), { done: true, value: undefined });
  await t.rejects(serveReplica({ host: LOOPBACK, port: 0, server, signal: abort.signal }), {
    name: 'AbortError',
  });
});

t.test('a peer that went away before it was accepted is dropped', async (t) => {
  class GonePeer extends NodePosix {
    override getpeername(): number {
      return -errno.ENOTCONN;
    }
  }
  const server = await running(t, new GonePeer());
  using listener = await serveReplica({ host: LOOPBACK, port: 0, server });
  await once(connect(portOf(listener.address), LOOPBACK).resume(), 'close');
  t.equal(server.posix.openDescriptors().length, 1);
});

t.test('a failed accept is retried a second later, without spinning', async (t) => {
  const posix = new NodePosix({ maxDescriptors: 5 });
  const placeholder = posix.eventfd();
  let seconds = 0;
  const lines: string[] = [];
  const server = new TapdiskServer({
    posix,
    clock: { now: () => seconds },
    logger: {
      log: (_priority, message) => {
        lines.push(message);
        setImmediate(() => {
          posix.close(placeholder);
          seconds += 1;
          server.setMaxTimeout(0);
        });
      },
    },
  });
  const run = server.run({ signals: false });
  const listener = await serveReplica({ host: LOOPBACK, port: 0, server });
  const socket = connect(portOf(listener.address), LOOPBACK);
  const { value: given } = (await listener[Symbol.asyncIterator]().next()) as { value: Socket };
  t.match(lines, [/127.0.0.1:\d+: cannot accept: EMFILE/]);
  t.equal(lines.length, 1);
  given.destroy();
  socket.destroy();
  listener.close();
  server.stop();
  await run;
});

t.test(
  'a host that is not this one, a port in use and a name without an address are errors with codes',
  async (t) => {
    const busy = await plainServer(t);
    const server = await running(t, withNames({ both: ['192.0.2.1', LOOPBACK], empty: [] }));
    await t.rejects(serveReplica({ host: '192.0.2.1', port: 0, server }), {
      code: 'EADDRNOTAVAIL',
      message: /listen on 192.0.2.1:0/,
    });
    await t.rejects(serveReplica({ host: LOOPBACK, port: busy, server }), { code: 'EADDRINUSE' });
    await t.rejects(serveReplica({ host: 'nowhere', port: 0, server }), { code: 'EAI_NONAME' });
    await t.rejects(serveReplica({ host: 'empty', port: 0, server }), { code: 'EAI_NONAME' });
    t.same(server.posix.openDescriptors(), []);
    using listener = await serveReplica({ host: 'both', port: 0, server });
    t.match(listener.address, { address: LOOPBACK }, 'the first address that this host has is taken');
  },
);

t.test('a listener that runs out of descriptors reports it', async (t) => {
  const server = await running(t, new NodePosix({ maxDescriptors: 3 }));
  await t.rejects(serveReplica({ host: LOOPBACK, port: 0, server }), { code: 'EMFILE' });
  t.equal(errno.EMFILE > 0, true);
});

t.test('an address refused at once is skipped like one refused later', async (t) => {
  class RefusesFirst extends NodePosix {
    #calls = 0;
    override connect(fd: number, address: SocketAddress): number {
      this.#calls += 1;
      return this.#calls === 1 ? -errno.ECONNREFUSED : super.connect(fd, address);
    }
  }
  const port = await plainServer(t);
  const posix = new RefusesFirst({ lookup: async () => [{ address: '127.0.0.2' }, { address: LOOPBACK }] });
  const socket = await connectReplica({ host: 'backup', port, server: await running(t, posix) });
  t.equal(socket.remoteAddress, LOOPBACK);
  socket.destroy();
});

t.test(
  'serveReplica makes a server of its own unless one is given, and accept gives the next connection',
  async (t) => {
    const listener = await serveReplica({ host: LOOPBACK, port: 0 });
    const { port } = listener.address;
    const accepted = listener.accept();
    const client = connect(port, LOOPBACK);
    const socket = await accepted;
    socket.end('hello');
    t.equal(await firstText(client), 'hello');
    client.destroy();
    socket.destroy();
    const waiting = listener.accept();
    listener.close();
    await t.rejects(waiting, { name: 'ReplicaError', code: 'ECANCELED' });
    await t.rejects(serveReplica({ host: '192.0.2.1', port: 0 }), { code: 'EADDRNOTAVAIL' });
  },
);

t.test('no warning is emitted if the server runs within a second', async (t) => {
  let due = (): void => {};
  const delays: number[] = [];
  let unreferenced = 0;
  const cleared: unknown[] = [];
  const timer = { ref() {}, unref: () => void (unreferenced += 1) };
  const timers = {
    now: () => 0,
    setTimeout: (callback: () => void, delay: number) => {
      due = callback;
      delays.push(delay);
      return timer;
    },
    clearTimeout: (given: unknown) => void cleared.push(given),
  };
  const server = new TapdiskServer({ logger: nullLogger });
  const forget = warnUnlessRunning(server, timers);
  t.same([delays, unreferenced], [[1000], 1], 'the process does not stay for it');
  forget();
  t.same(cleared, [timer]);
  const run = server.run({ signals: false });
  warnUnlessRunning(server, timers)();
  t.equal(delays.length, 1, 'nothing is waited for when it runs already');
  const onWarning = (warning: Error): void => {
    t.fail(warning.message);
  };
  process.once('warning', onWarning);
  due();
  await new Promise(setImmediate);
  process.off('warning', onWarning);
  await server[Symbol.asyncDispose]();
  await run;
});

t.test('a given server that does not run causes a warning with a name', async (t) => {
  const server = new TapdiskServer({ logger: nullLogger });
  const warned = once(process, 'warning') as Promise<[Error]>;
  const listener = await serveReplica({ host: LOOPBACK, port: 0, server });
  const [warning] = await warned;
  t.match(warning, { name: 'TapdiskServerNotRunning', message: /call server\.run\(\)/ });
  listener.close();
  await server[Symbol.asyncDispose]();
});
