// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BlockList } from 'node:net';
import t from 'tap';
import { AF_INET, errno, SOCK_STREAM } from '../../../src/posix/index.js';
import { Connector } from '../../../src/replication/disk/connector.js';
import type { EventRegistrar } from '../../../src/scheduler/registrar.js';
import { type SimulatedHost, SimulatedWorld } from '../../../src/testing/index.js';

const ADDRESS = '10.0.0.2:9000';

/** A side's connector, and what it was given. */
function side(
  world: SimulatedWorld,
  host: SimulatedHost,
  peers = {},
  registrar: EventRegistrar = host.serve(),
) {
  const connections: { fd: number; peer: string }[] = [];
  const surplus: number[] = [];
  const logged: string[] = [];
  const its = new Connector({
    registrar,
    posix: host.posix,
    logger: { log: (_, message) => logged.push(message) },
    address: ADDRESS,
    peers,
    onConnection: (fd, peer) => connections.push({ fd, peer }),
    onSurplus: (fd) => surplus.push(fd),
  });
  const start = (listens?: boolean, waits = false) => world.complete(its.start(listens, waits));
  return { its, host, connections, surplus, logged, start };
}

function twoSides() {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const a = side(world, world.host('10.0.0.1'));
  const b = side(world, world.host('10.0.0.2'));
  return { world, a, b };
}

t.test('the side that has the address listens, the other one connects', async (t) => {
  const { world, a, b } = twoSides();
  t.same([a.its.state, b.its.state], ['none', 'none']);
  t.equal(await b.start(), true);
  t.same([b.its.listens, b.its.state], [true, 'listening']);
  t.equal(await a.start(), false);
  t.same([a.its.listens, a.its.state], [false, 'connecting']);
  await world.run(0.5);
  t.same([a.its.state, b.its.state], ['established', 'established']);
  t.equal(a.connections.length, 1);
  t.equal(a.connections[0]?.peer, ADDRESS);
  t.match(b.connections, [{ peer: /^10\.0\.0\.1:/ }]);
});

t.test('a side that is closed while its address is looked up neither listens nor connects', async (t) => {
  const { world, a, b } = twoSides();
  for (const { its, start } of [a, b]) {
    const started = start();
    its.close();
    t.equal(await started, -errno.ECANCELED);
    t.equal(its.state, 'none');
  }
  await world.run(2);
  t.same([a.connections, b.connections], [[], []]);
});

t.test('a side that is to connect does so, though it has the address', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const b = side(world, world.host('10.0.0.2'));
  t.equal(await b.start(false), false);
  t.equal(b.its.state, 'connecting');
});

t.test('a side that is to listen, and cannot yet, tries again each second', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.2');
  const taken = host.posix.socket(AF_INET, SOCK_STREAM);
  host.posix.bind(taken, { family: AF_INET, address: '10.0.0.2', port: 9000 });
  host.posix.listen(taken, 1);
  const b = side(world, host);
  t.equal(await b.start(true), true);
  await world.run(2.5);
  host.posix.close(taken);
  const a = side(world, world.host('10.0.0.1'));
  await a.start();
  await world.run(3.5);
  t.same([a.connections.length, b.connections.length], [1, 1]);
});

/** Has the first calls of a kind fail, so many of them. */
function failFirst(
  host: SimulatedHost,
  call: 'socket' | 'bind' | 'listen',
  error: number,
  times: number,
): void {
  for (let nth = 1; nth <= times; nth++) host.failCalls({ calls: [call], nth, error });
}

t.test('a side whose port is taken by another program has the address all the same', async (t) => {
  for (const call of ['bind', 'listen'] as const) {
    const { world, a, b } = twoSides();
    failFirst(b.host, call, errno.EADDRINUSE, 2);
    t.equal(await b.start(), true, call);
    await a.start();
    await world.run(4);
    t.same([a.connections.length, b.connections.length], [1, 1], call);
  }
});

t.test('a side that cannot make its listening socket finds its role out once it can', async (t) => {
  for (const [call, error] of [
    ['socket', errno.EMFILE],
    ['socket', errno.ENFILE],
    ['bind', errno.EACCES],
    ['listen', errno.ENOMEM],
  ] as const) {
    const { a, b } = twoSides();
    failFirst(a.host, call, error, 3);
    failFirst(b.host, call, error, 3);
    t.equal(await b.start(), true, `${call}: the side that has the address`);
    if (call === 'listen') continue;
    t.equal(await a.start(), false, `${call}: the other one`);
    t.equal(
      a.logged.filter((line) => line.includes('cannot listen at 10.0.0.2:9000: E')).length,
      1,
      'logged once',
    );
  }
});

t.test('a side that cannot make its listening socket for half a minute has no role', async (t) => {
  const { a } = twoSides();
  failFirst(a.host, 'socket', errno.EMFILE, 30);
  t.equal(await a.start(), -errno.EMFILE);
  t.equal(a.its.state, 'none');
});

t.test('one that has found its role late listens once its port is free', async (t) => {
  const { world, b } = twoSides();
  const { posix } = b.host;
  const other = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(other, { family: AF_INET, address: '10.0.0.2', port: 9000 });
  posix.listen(other, 1);
  failFirst(b.host, 'socket', errno.EMFILE, 1);
  t.equal(await b.start(), true);
  posix.close(other);
  await world.run(2);
  const { posix: theirs } = world.host('10.0.0.9');
  theirs.connect(theirs.socket(AF_INET, SOCK_STREAM), { family: AF_INET, address: '10.0.0.2', port: 9000 });
  await world.run(0.5);
  t.equal(b.connections.length, 1);
});

t.test('what the last attempt failed with is what is returned', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.2');
  const server = host.serve();
  let registrations = 0;
  // The first one is that of the connector's timer.
  const registerEvent: typeof server.registerEvent = (...event) =>
    registrations++ === 0 ? server.registerEvent(...event) : -errno.ENOMEM;
  const registrar = {
    registerEvent,
    unregisterEvent: server.unregisterEvent.bind(server),
    setMaxTimeout: server.setMaxTimeout.bind(server),
  };
  const b = side(world, host, {}, registrar);
  failFirst(host, 'socket', errno.EMFILE, 1);
  t.equal(await b.start(), -errno.ENOMEM);
  t.equal(registrations, 30, 'the last 29 attempts, after the timer');
  const reported = b.logged.filter((line) => line.includes('cannot listen'));
  t.match(reported, [/at 10\.0\.0\.2:9000: EMFILE \(socket\)/]);
});

t.test('a side that is stopped while it is connected makes no other connection', async (t) => {
  for (const who of ['a', 'b'] as const) {
    const sides = twoSides();
    const { world, a, b } = sides;
    await b.start();
    await a.start();
    await world.run(0.5);
    const { its, host, connections } = sides[who];
    its.stop();
    host.posix.close(connections[0]?.fd ?? -1);
    its.next(1);
    await world.run(5);
    t.same([its.state, connections.length], ['none', 1]);
    t.same(
      host.leftovers().filter((line) => /tcp/.test(line)),
      [],
      'it does not listen either',
    );
  }
});

t.test('a side that is closed before it has a role takes none', async (t) => {
  const { world, a } = twoSides();
  failFirst(a.host, 'socket', errno.EMFILE, 30);
  const started = a.its.start(undefined);
  await world.run(2.5);
  a.its.close();
  t.equal(await started, -errno.ECANCELED);
});

t.test('a client goes on until the other side is there', async (t) => {
  const { world, a, b } = twoSides();
  await a.start();
  await world.run(5);
  t.equal(a.its.state, 'connecting');
  await b.start();
  await world.run(2);
  t.same([a.its.state, b.its.state], ['established', 'established']);
  await world.run(5);
  t.same([a.connections.length, b.connections.length, b.surplus.length], [1, 1, 0], 'and makes no other');
});

t.test('the next connection is made after the last one, and after the time that was asked for', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  await a.start();
  await world.run(0.5);
  const close = ({ host, connections }: typeof a): void => {
    host.posix.close(connections.at(-1)?.fd ?? -1);
  };
  close(a);
  close(b);
  b.its.next(0);
  t.equal(b.its.state, 'listening');
  a.its.next(5);
  t.equal(a.its.state, 'connecting');
  await world.run(4.5);
  t.equal(a.connections.length, 1);
  await world.run(1);
  t.same([a.connections.length, b.connections.length], [2, 2]);
  close(a);
  close(b);
  b.its.next(0);
  a.its.next(0);
  await world.run(0.5);
  t.equal(a.connections.length, 2, 'no sooner than after a second');
  await world.run(1);
  t.equal(a.connections.length, 3);
});

t.test(
  'a peer that was connected to and is gone before its address is asked for is an unknown one',
  async (t) => {
    const { world, a, b } = twoSides();
    await b.start();
    a.host.posix.getpeername = () => -errno.ENOTCONN;
    await a.start();
    await world.run(0.5);
    t.match(a.connections, [{ peer: 'unknown' }]);
  },
);

t.test('another connection that comes meanwhile is the taker’s too', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  await a.start();
  await world.run(0.5);
  const c = side(world, world.host('10.0.0.3'));
  await c.start();
  await world.run(0.5);
  t.equal(b.surplus.length, 1);
  t.equal(b.connections.length, 1);
  t.equal(b.host.posix.close(b.surplus[0] ?? -1), 0, 'it is open');
});

t.test('a side that was stopped makes no connection until it is resumed', async (t) => {
  for (const who of ['a', 'b'] as const) {
    const { world, a, b } = twoSides();
    const [stopped, other] = who === 'a' ? [a, b] : [b, a];
    await stopped.start();
    stopped.its.stop();
    await other.start();
    t.equal(stopped.its.state, 'none');
    stopped.its.next(0);
    stopped.its.begin();
    await world.run(5);
    t.equal(stopped.connections.length, 0, who);
    stopped.its.resume();
    stopped.its.resume();
    await world.run(3);
    t.same([a.connections.length, b.connections.length], [1, 1], who);
  }
});

t.test('a side that is resumed before its next attempt was due makes one connection only', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  await a.start();
  await world.run(0.5);
  for (const { host, connections } of [a, b]) host.posix.close(connections[0]?.fd ?? -1);
  b.its.next(0);
  a.its.next(5);
  a.its.stop();
  a.its.resume();
  await world.run(10);
  t.same([a.connections.length, b.connections.length, b.surplus.length], [2, 2, 0]);
  t.equal(a.its.state, 'established');
});

t.test('one that was given stays its taker’s when the side is stopped', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  await a.start();
  await world.run(0.5);
  for (const { its, host, connections } of [a, b]) {
    const closed: number[] = [];
    const close = host.posix.close.bind(host.posix);
    host.posix.close = (fd) => {
      closed.push(fd);
      return close(fd);
    };
    its.stop();
    t.equal(closed.length, its.listens ? 1 : 0, 'no descriptor is closed but the listener');
    t.equal(its.state, 'established');
    t.equal(close(connections[0]?.fd ?? -1), 0);
  }
});

t.test('a side that waits connects once it is told to begin', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  t.equal(await a.start(undefined, true), false);
  await world.run(3);
  t.same([a.its.state, a.connections.length], ['none', 0]);
  a.its.begin();
  await world.run(0.5);
  t.equal(a.connections.length, 1);
  a.its.begin();
  await world.run(3);
  t.equal(a.connections.length, 1, 'once');
});

t.test('a side that is stopped while it waits does not begin', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  await a.start(undefined, true);
  a.its.stop();
  a.its.begin();
  await world.run(3);
  t.same([a.its.state, a.connections.length], ['none', 0]);
});

t.test('one that listens does not wait', async (t) => {
  const { world, a, b } = twoSides();
  t.equal(await b.start(undefined, true), true);
  await a.start();
  await world.run(0.5);
  t.equal(b.connections.length, 1);
});

t.test('an address that is none is an error', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const its = new Connector({
    registrar: world.host('10.0.0.1').serve(),
    posix: world.host('10.0.0.9').posix,
    logger: { log: () => {} },
    address: 'nowhere',
    peers: {},
    onConnection: () => {},
    onSurplus: () => {},
  });
  t.equal(await world.complete(its.start(undefined)), -errno.ENOENT);
  t.equal(its.state, 'none');
});

t.test('a peer that is not allowed is closed, and reported', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const deny = new BlockList();
  deny.addAddress('10.0.0.1');
  const b = side(world, world.host('10.0.0.2'), { deny });
  await b.start();
  const a = side(world, world.host('10.0.0.1'));
  await a.start();
  await world.run(0.5);
  t.match(b.logged.join(), /replication: rejected 10\.0\.0\.1:\d+: its address is not allowed/);
  t.same([b.connections.length, b.its.state], [0, 'listening']);
});

t.test('rejections that were held back are logged when the side is closed', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const deny = new BlockList();
  deny.addAddress('10.0.0.1');
  const b = side(world, world.host('10.0.0.2'), { deny });
  await b.start();
  const { posix } = world.host('10.0.0.1');
  for (let count = 0; count < 3; count++) {
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    posix.connect(fd, { family: AF_INET, address: '10.0.0.2', port: 9000 });
    await world.run(0.1);
  }
  const rejections = (): string[] => b.logged.filter((line) => line.includes('rejected'));
  t.equal(rejections().length, 1, 'of a kind, one a second');
  b.its.close();
  t.equal(rejections().length, 2);
});

t.test('a client whose attempt fails for good tries again after a second', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  a.host.failCalls({ calls: ['connect'], nth: 1, error: errno.EACCES });
  await a.start();
  await world.run(0.5);
  t.equal(a.connections.length, 0);
  await world.run(1.5);
  t.equal(a.connections.length, 1);
  const c = side(world, world.host('10.0.0.3'));
  c.host.failCalls({ calls: ['socket'], nth: 1, error: errno.EMFILE });
  await c.start(false);
  await world.run(2);
  t.equal(c.connections.length + b.surplus.length, 2, 'so does one that has no descriptor');
});

t.test('once it is closed nothing is left', async (t) => {
  for (const address of ['10.0.0.1', '10.0.0.2']) {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const host = world.host(address);
    const server = host.serve();
    await world.run(0.1);
    const before = host.leftovers();
    const its = new Connector({
      registrar: server,
      posix: host.posix,
      logger: { log: () => {} },
      address: ADDRESS,
      peers: {},
      onConnection: () => {},
      onSurplus: () => {},
    });
    await world.complete(its.start(undefined));
    await world.run(3);
    t.not(host.leftovers().length, before.length);
    its.close();
    its.close();
    its.resume();
    await world.run(3);
    t.same(host.leftovers(), before);
  }
});

t.test('a backlog of connections that are gone fills no log', async (t) => {
  const { world, a, b } = twoSides();
  await b.start();
  for (let nth = 1; nth <= 50; nth++) b.host.failCalls({ calls: ['accept'], nth, error: errno.ECONNABORTED });
  await a.start();
  await world.run(5);
  t.same([a.its.state, b.its.state], ['established', 'established']);
  const lines = b.logged.filter((line) => line.includes('error accepting connection'));
  t.ok(lines.length <= 3, lines.join('; '));
  const more = lines.map((line) => Number(/and (\d+) more/.exec(line)?.[1] ?? 0));
  t.equal(
    more.reduce((sum, count) => sum + count, lines.length),
    50,
    'those that are left out are counted',
  );
  b.its.close();
});
