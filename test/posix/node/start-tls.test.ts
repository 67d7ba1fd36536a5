// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// When TLS is given up before it is there; test/nbd/tls.test.ts has what it is like with clients.

import { once } from 'node:events';
import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { errno, type NodePosix, READABLE, SHUT_WR } from '../../../src/posix/index.js';
import { startTls } from '../../../src/posix/node/start-tls.js';
import { connectedTo, posixFor, turns } from '../fixture.js';

type Wrap = Parameters<typeof startTls>[3];

/** Reports at once that TLS may be used. */
const atOnce: Wrap = (socket, usable) => usable(new TLSSocket(socket, { isServer: true }));

interface Begun {
  readonly wrap?: Wrap;
  /** What the test does with the connection before. */
  readonly before?: (fd: number, posix: NodePosix, peer: net.Socket) => unknown;
}

/** TLS that is begun on a connection, with what is called for it; tasks run when the test runs them. */
async function begun(t: Test, { wrap = atOnce, before }: Begun = {}) {
  const posix = posixFor(t, { maxDescriptors: 20 });
  const { fd, peer } = await connectedTo(t, posix);
  await before?.(fd, posix, peer);
  const tasks: (() => void)[] = [];
  const calls: string[] = [];
  const results: [number, string | undefined][] = [];
  const open = posix.openDescriptors().length - 1;
  const giveUp = startTls(
    posix,
    { post: (task) => void tasks.push(task) },
    fd,
    (socket: net.Socket, usable) => {
      calls.push('wrap');
      wrap(socket, usable);
    },
    (result, reason) => {
      calls.push('done');
      results.push([result, reason]);
    },
  );
  const descriptors = (): number => posix.openDescriptors().length - open;
  const runTasks = async (): Promise<void> => {
    for (let turn = 0; tasks.length === 0 && turn < 500; turn++) await turns(1);
    for (const task of tasks.splice(0)) task();
  };
  return { calls, descriptors, giveUp, peer, posix, results, runTasks, tasks };
}

/** Waits for the end of what the peer gets, which may have been there before. */
async function ended(peer: net.Socket): Promise<void> {
  if (!peer.readableEnded) await once(peer.resume(), 'end');
}

t.test('given up at once, no TLS is begun and the connection ends', async (t) => {
  const { calls, descriptors, giveUp, peer, tasks } = await begun(t);
  giveUp();
  await once(peer.resume(), 'end');
  for (const task of tasks) task();
  t.same([calls, descriptors()], [[], 0]);
});

t.test('given up before its descriptor is handed over, that is closed', async (t) => {
  const { calls, descriptors, giveUp, peer, tasks } = await begun(t);
  while (tasks.length === 0) await turns(1);
  t.same([calls, descriptors()], [['wrap'], 1]);
  giveUp();
  t.equal(descriptors(), 0);
  await once(peer.resume(), 'end');
  for (const task of tasks) task();
  t.same(calls, ['wrap']);
});

t.test(
  'what TLS carries is read and written through a descriptor, which gets all errors from then on',
  async (t) => {
    const listening: (() => number)[] = [];
    const counts: number[] = [];
    const wrap: Wrap = (socket, usable) => {
      const secured = new TLSSocket(socket, { isServer: true });
      listening.push(() => socket.listenerCount('error'));
      counts.push(socket.listenerCount('error'));
      usable(secured);
    };
    const { descriptors, posix, results, runTasks } = await begun(t, { wrap });
    await runTasks();
    const fd = results[0]?.[0];
    t.equal(descriptors(), 1);
    t.match(posix.openDescriptors().find((open) => open.fd === fd)?.description, /^adopted TLSSocket/);
    const [before = 0] = counts;
    t.same(
      listening.map((count) => count()),
      [before - 1],
      'one that ignored errors in between is gone',
    );
  },
);

t.test('a handshake that fails is -EPROTO, with the reason, and ends the connection', async (t) => {
  const { descriptors, peer, results, runTasks } = await begun(t, {
    wrap: (_socket, usable) => usable('no certificate'),
  });
  await runTasks();
  t.same(results, [[-errno.EPROTO, 'no certificate']]);
  t.equal(descriptors(), 0);
  await ended(peer);
});

t.test('a peer that ends the stream in the middle of the handshake is gone', async (t) => {
  const { peer, results, runTasks } = await begun(t, {
    wrap: (socket, usable) => {
      const secured = new TLSSocket(socket, { isServer: true }).on('error', () => {});
      secured.on('close', () => usable('it is gone'));
    },
  });
  peer.end();
  await runTasks();
  t.same(results, [[-errno.EPROTO, 'it is gone']]);
});

t.test('where there is no descriptor for it, the connection ends', async (t) => {
  let table: NodePosix | undefined;
  const { peer, results, runTasks } = await begun(t, {
    before: (_fd, posix) => (table = posix),
    wrap: (socket, usable) => {
      while ((table?.eventfd() ?? -1) >= 0);
      atOnce(socket, usable);
    },
  });
  await runTasks();
  t.same(results, [[-errno.EMFILE, undefined]]);
  await ended(peer);
});

t.test('a peer that is gone before, or has sent all it will, is -ECONNRESET', async (t) => {
  const shut = await begun(t, { before: (fd, posix) => posix.shutdown(fd, SHUT_WR) });
  await shut.runTasks();
  t.same([shut.calls, shut.results], [['done'], [[-errno.ECONNRESET, undefined]]]);

  const early = async (fd: number, posix: NodePosix, peer: net.Socket): Promise<void> => {
    const poller = posix.createPoller();
    poller.setInterest(fd, READABLE);
    peer.end('too much');
    while (!peer.writableFinished) await turns(1);
    await turns(20);
    poller.close();
  };
  const tooMuch = await begun(t, { before: early });
  t.same(tooMuch.calls, [], 'later, on the scheduler');
  await tooMuch.runTasks();
  t.same([tooMuch.calls, tooMuch.results], [['done'], [[-errno.ECONNRESET, undefined]]]);
  await once(tooMuch.peer.resume(), 'close');
  const givenUp = await begun(t, { before: early });
  givenUp.giveUp();
  await givenUp.runTasks();
  t.same(givenUp.calls, []);
});

t.test('given up during the handshake, nothing is called, and the connection ends', async (t) => {
  const finish: (() => void)[] = [];
  const { calls, descriptors, giveUp, peer, tasks } = await begun(t, {
    wrap: (socket, usable) => {
      finish.push(() => atOnce(socket, usable));
    },
  });
  while (finish.length === 0) await turns(1);
  giveUp();
  finish[0]?.();
  await ended(peer);
  for (const task of tasks) task();
  t.same([calls, descriptors()], [['wrap'], 0]);
});
