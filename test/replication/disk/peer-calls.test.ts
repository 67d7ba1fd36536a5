// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BlockList } from 'node:net';
import t from 'tap';
import { AF_INET, errno, type Inet4Address, NodePosix, SOCK_STREAM } from '../../../src/posix/index.js';
import { peerCalls } from '../../../src/replication/disk/peer-calls.js';
import { SimulatedWorld } from '../../../src/testing/index.js';
import { readyFor, listening as listeningOn } from '../../posix/arms/world.js';
import { goneClient } from '../../posix/gone-client.js';

const ADDRESS = { family: AF_INET, address: '10.0.0.2', port: 9000 } as const;

/** A listener through the calls, and others who connect to it. */
function listening(deny?: string) {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const { posix } = world.host('10.0.0.2');
  const log: string[] = [];
  const list = new BlockList();
  if (deny) list.addAddress(deny);
  const calls = peerCalls(
    posix,
    { deny: list },
    {
      surplus: (fd) => log.push(`surplus ${fd}`),
      turnedAway: (address) => log.push(`rejected ${'address' in address ? address.address : ''}`),
      cannotListen: (call, result) => log.push(`${call} ${result}`),
    },
  );
  const listener = calls.socket(AF_INET, SOCK_STREAM, 0);
  calls.bind(listener, ADDRESS);
  calls.listen(listener, 5);
  const connect = async (from: string): Promise<void> => {
    const { posix: theirs } = world.host(from);
    theirs.connect(theirs.socket(AF_INET, SOCK_STREAM), ADDRESS);
    await world.run(0.1);
  };
  return { world, posix, calls, listener, connect, log };
}

t.test('a connection that the module closes at once is handed on instead', async (t) => {
  const { posix, calls, listener, connect, log } = listening();
  await connect('10.0.0.1');
  const fd = calls.accept(listener);
  t.ok(fd >= 0);
  t.equal(calls.close(fd), 0);
  t.same(log, [`surplus ${fd}`]);
  t.equal(posix.close(fd), 0, 'it is open, and its taker’s');
  t.equal(calls.close(fd), -errno.EBADF, 'the next close of the number is one');
  t.equal(log.length, 1);
});

t.test('what was accepted before, and other descriptors, are closed', async (t) => {
  const { posix, calls, listener, connect, log } = listening();
  await connect('10.0.0.1');
  await connect('10.0.0.3');
  const first = calls.accept(listener);
  const second = calls.accept(listener);
  t.equal(calls.close(first), 0);
  t.equal(posix.close(first), -errno.EBADF);
  t.same(log, []);
  t.equal(calls.accept(listener), -errno.EAGAIN);
  t.equal(calls.close(second), 0);
  t.equal(posix.close(second), -errno.EBADF, 'nor is it the last one once another accept has failed');
  for (const fd of [-1, 0]) t.equal(calls.close(fd), -errno.EBADF);
  t.same(log, []);
});

t.test('names are looked up as the system does it', async (t) => {
  const { world, calls } = listening();
  t.same(await world.complete(calls.resolve('10.0.0.2', '9000')), [ADDRESS]);
  t.same(calls.getaddrinfo('10.0.0.2', '9000'), [ADDRESS]);
});

t.test('before anything was accepted, nothing that is closed is handed on', async (t) => {
  const { calls, listener, log } = listening();
  for (const fd of [-1, 0]) t.equal(calls.close(fd), -errno.EBADF);
  t.equal(calls.close(listener), 0);
  t.same(log, []);
});

t.test('a peer that is not allowed is closed as it comes, and not connected to', async (t) => {
  const { calls, listener, connect, log, posix } = listening('10.0.0.1');
  await connect('10.0.0.1');
  t.equal(calls.accept(listener), -errno.EACCES);
  t.same(log, ['rejected 10.0.0.1']);
  const fd = calls.socket(AF_INET, SOCK_STREAM, 0);
  t.equal(fd, listener + 1, 'its number is free');
  t.equal(calls.connect(fd, { ...ADDRESS, address: '10.0.0.1' }), -errno.EACCES);
  t.not(calls.connect(fd, ADDRESS), -errno.EACCES);
  t.equal(posix.close(fd), 0);
  await connect('10.0.0.3');
  t.ok(calls.accept(listener) >= 0, 'others are');
});

t.test('one that was reset before anybody could see its address is not let in', async (t) => {
  const posix = new NodePosix();
  const { fd: listener, address } = listeningOn(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const log: string[] = [];
  const allow = new BlockList();
  allow.addAddress('127.0.0.2');
  const calls = peerCalls(
    posix,
    { allow },
    {
      surplus: () => log.push('surplus'),
      turnedAway: () => log.push('rejected'),
      cannotListen: () => log.push('cannot listen'),
    },
  );
  goneClient((address as Inet4Address).port);
  await readyFor(posix, listener);
  t.equal(calls.accept(listener), -errno.ECONNABORTED);
  t.equal(posix.openDescriptors().length, 1, 'it is closed');
  posix.close(listener);
});

t.test(
  'the other calls are the system’s; those that fail on the way to listening are reported',
  async (t) => {
    const made: unknown[][] = [];
    const results = new Map<string, number>();
    const names = ['socket', 'setsockopt', 'getsockopt', 'fcntl', 'bind', 'listen'] as const;
    const posix = Object.fromEntries(
      names.map((name) => [
        name,
        (...args: unknown[]) => {
          made.push([name, ...args]);
          return results.get(name) ?? 0;
        },
      ]),
    );
    const failures: [call: string, result: number][] = [];
    const calls = peerCalls(
      posix as never,
      {},
      {
        surplus: () => {},
        turnedAway: () => {},
        cannotListen: (call, result) => failures.push([call, result]),
      },
    );
    const makeAll = () => [
      calls.socket(AF_INET, SOCK_STREAM, 6),
      calls.setsockopt(3, 1, 2, 1),
      calls.getsockopt(3, 1, 4),
      calls.fcntl(3, 4, 5),
      calls.bind(3, ADDRESS),
      calls.listen(3, 16),
    ];
    t.same(makeAll(), [0, 0, 0, 0, 0, 0]);
    t.same(made, [
      ['socket', AF_INET, SOCK_STREAM, 6],
      ['setsockopt', 3, 1, 2, 1],
      ['getsockopt', 3, 1, 4],
      ['fcntl', 3, 4, 5],
      ['bind', 3, ADDRESS],
      ['listen', 3, 16],
    ]);
    t.same(failures, []);
    for (const [index, name] of names.entries()) results.set(name, -1 - index);
    t.same(makeAll(), [-1, -2, -3, -4, -5, -6]);
    t.same(failures, [
      ['socket', -1],
      ['bind', -5],
      ['listen', -6],
    ]);
  },
);
