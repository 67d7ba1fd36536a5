// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// When TLS is given up before it is there; test/nbd/tls.test.ts has what it is like with clients.

import { once } from 'node:events';
import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { startTls } from '../../../src/posix/node/start-tls.js';
import { connectedTo, posixFor, turns } from '../fixture.js';

/** TLS that is begun on a connection, with what is called for it; tasks run when the test runs them. */
async function begun(t: Test) {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const tasks: (() => void)[] = [];
  const calls: string[] = [];
  const open = posix.openDescriptors().length - 1;
  const giveUp = startTls(
    posix,
    { post: (task) => void tasks.push(task) },
    fd,
    (socket: net.Socket, usable) => {
      calls.push('wrap');
      usable(new TLSSocket(socket, { isServer: true }));
    },
    () => calls.push('done'),
  );
  const descriptors = (): number => posix.openDescriptors().length - open;
  return { calls, descriptors, giveUp, peer, tasks };
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
