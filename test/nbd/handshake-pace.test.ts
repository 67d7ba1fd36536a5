// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type TLSSocket, connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { HandshakePace } from '../../src/nbd/handshake-pace.js';
import { tlsServer } from '../../src/nbd/index.js';
import { errno, NodePosix } from '../../src/posix/index.js';
import { bench, ManualClock } from '../disks/bench.js';
import { keyPair } from './key-pair.js';
import { nbdWorld, type NbdWorld, until } from './nbd-world.js';
import { exportRequest, option } from './raw-client.js';

t.test('handshakes are limited per second, in total and per peer, in order of arrival', async (t) => {
  const { server, pass } = bench(t);
  const pace = new HandshakePace(server, { perSecond: 4, perPeerPerSecond: 2 });
  const started: string[] = [];
  const enter = (peer: string, name: string) => pace.enter(peer, () => void started.push(name));
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) enter('a', name);
  const leave = enter('b', 'b1');
  leave();
  enter('b', 'b2');
  enter('c', 'c1');
  t.strictSame(started, ['a1', 'a2', 'b1', 'b2']);
  t.equal(pace.waiting, 4);
  await pass(1);
  t.strictSame(started.slice(4), ['a3', 'a4', 'c1'], 'a peer at its limit keeps no other one waiting');
  await pass(1);
  t.strictSame(started.slice(7), ['a5']);
  t.equal(pace.waiting, 0);
  await pass(1);
});

t.test('a cancelled handshake is not started, and none after the end', async (t) => {
  const { server, pass } = bench(t);
  const pace = new HandshakePace(server, { perSecond: 1, perPeerPerSecond: 1 });
  const started: number[] = [];
  const leave = [0, 1, 2, 3].map((index) => pace.enter(undefined, () => void started.push(index)));
  leave[1]!();
  await pass(1);
  t.strictSame(started, [0, 2]);
  pace[Symbol.dispose]();
  t.equal(pace.waiting, 0);
  await pass(1);
  t.strictSame(started, [0, 2]);
});

t.test('peers without an address count only among all', async (t) => {
  const { server } = bench(t);
  const pace = new HandshakePace(server, { perSecond: 3, perPeerPerSecond: 1 });
  let started = 0;
  for (let count = 0; count < 4; count++) pace.enter(undefined, () => void started++);
  t.equal(started, 3);
  pace[Symbol.dispose]();
});

t.test('a handshake does not wait for a second that the scheduler has no room for', async (t) => {
  const { server } = bench(t);
  const registerEvent = server.registerEvent.bind(server);
  server.registerEvent = () => -errno.EBUSY;
  const pace = new HandshakePace(server, { perSecond: 1, perPeerPerSecond: 1 });
  let started = 0;
  const enter = (): unknown => pace.enter('a', () => void started++);
  for (let count = 0; count < 3; count++) enter();
  t.equal(started, 3);
  server.registerEvent = registerEvent;
  for (let count = 0; count < 3; count++) enter();
  t.equal(started, 4, 'with room again they are counted');
  pace[Symbol.dispose]();
});

t.test('a connection that is dropped while it waits to start TLS does not start it', async (t) => {
  const clock = new ManualClock();
  const started: number[] = [];
  const awaited: (string | undefined)[] = [];
  const world = nbdWorld(t, {
    posix: new NodePosix({ clock }),
    tls: ({ posix, server }) => ({
      secure(fd) {
        started.push(fd);
        for (const event of server.scheduler.events()) if (event.fd === fd) awaited.push(event.callbackName);
        posix.close(fd);
        return () => {};
      },
    }),
    limits: { maxTlsHandshakesPerSecond: 1, maxHandshakes: 1 },
  });
  const first = await world.raw().greet();
  first.send(option(5));
  t.equal((await first.rest()).length, 20, 'the reply to STARTTLS');
  t.same([started.length, awaited], [1, []], 'nothing is awaited of a descriptor that is handed over');
  const second = await world.raw().greet();
  second.send(option(5));
  await second.reply();
  const third = await world.raw().greet();
  await second.rest();
  clock.seconds += 1;
  world.registry.completions.post(() => {});
  third.send(option(5));
  t.equal((await third.rest()).length, 20);
  t.equal(started.length, 2);
});

const pair = keyPair(t);
const test = (title: string, body: (t: Test) => Promise<void>): void =>
  void t.test(title, { skip: pair ? false : 'openssl is missing' }, body);

/** A client that speaks TLS from its acknowledgement on. */
async function tlsClient(world: NbdWorld, localAddress: string): Promise<TLSSocket> {
  const raw = await world.raw(localAddress).greet();
  raw.send(option(5));
  await raw.reply();
  raw.socket.removeAllListeners('data');
  return connectTls({ socket: raw.socket, ca: pair!.cert, servername: 'localhost' }).on('error', () => {});
}

test('an address that starts TLS again and again waits, and others do not', async (t) => {
  const clock = new ManualClock();
  const world = nbdWorld(t, {
    tcp: true,
    posix: new NodePosix({ clock }),
    tls: ({ posix, registry }) => tlsServer(posix, registry.completions, pair!),
    limits: { maxTlsHandshakesPerPeerPerSecond: 2 },
  });
  await world.open('ram:1');
  const order: string[] = [];
  const secured = async (name: string, address: string): Promise<void> => {
    const socket = await tlsClient(world, address);
    socket.once('secureConnect', () => {
      order.push(name);
      socket.write(option(7, exportRequest('0')));
    });
  };
  for (const name of ['first', 'second', 'third', 'fourth']) await secured(name, '127.0.0.1');
  await secured('other', '127.0.0.2');
  await until(() => order.length === 3);
  t.strictSame(order.toSorted(), ['first', 'other', 'second']);
  // No second goes by before the others have had their turn.
  clock.seconds += 1;
  await until(() => order.length === 5);
  t.strictSame(order.slice(3).toSorted(), ['fourth', 'third']);
});

test('connections waiting to start TLS are closed with the server', async (t) => {
  const world = nbdWorld(t, {
    tcp: true,
    tls: ({ posix, registry }) => tlsServer(posix, registry.completions, pair!),
    limits: { maxTlsHandshakesPerSecond: 1 },
  });
  await world.open('ram:1');
  for (let count = 0; count < 3; count++) await tlsClient(world, '127.0.0.1');
  world.nbd.close();
  t.equal(world.nbd.connections, 0);
  t.equal(world.posix.openDescriptors().length, world.descriptors - 1);
});
