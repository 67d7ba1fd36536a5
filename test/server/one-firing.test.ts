// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { getEventListeners } from 'node:events';
import t, { type Test } from 'tap';
import { AF_INET, NodePosix, SOCK_STREAM } from '../../src/posix/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';

function running(t: Test) {
  const clock = { seconds: 1000, now: () => clock.seconds };
  const posix = new NodePosix({ clock });
  const server = new TapdiskServer({ posix, logger: nullLogger });
  const run = server.run({ signals: false });
  t.teardown(async () => {
    await server[Symbol.asyncDispose]();
    await run;
  });
  return { clock, posix, server };
}

t.test('sleep ends when its time has passed on the clock of the scheduler', async (t) => {
  const { clock, server } = running(t);
  let slept = false;
  const sleeping = server.sleep(5).then(() => (slept = true));
  clock.seconds += 4;
  server.setMaxTimeout(0);
  await server.sleep(0);
  t.equal(slept, false);
  clock.seconds += 1;
  server.setMaxTimeout(0);
  await sleeping;
  t.equal(server.scheduler.size, 0);
});

t.test('readable and writable end when the descriptor is ready', async (t) => {
  const { posix, server } = running(t);
  const counter = posix.eventfd(0);
  await server.writable(counter);
  const readable = server.readable(counter);
  posix.write(counter, new Uint8Array(new BigUint64Array([1n]).buffer));
  await readable;
  t.equal(server.scheduler.size, 0);
  posix.close(counter);
});

t.test('a signal ends the wait, and nothing is left of it', async (t) => {
  const { posix, server } = running(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  const controller = new AbortController();
  const { signal } = controller;
  const reading = server.readable(fd, { signal });
  controller.abort(new Error('enough'));
  await t.rejects(reading, { message: 'enough' });
  await t.rejects(server.sleep(1, { signal }), { message: 'enough' }, 'an aborted one never waits');
  t.equal(server.scheduler.size, 0);
  posix.close(fd);
});

t.test('a wait that has ended listens to its signal no more', async (t) => {
  const { posix, server } = running(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  const { signal } = new AbortController();
  const writable = server.writable(fd, { signal });
  t.equal(getEventListeners(signal, 'abort').length, 1);
  await writable;
  t.equal(getEventListeners(signal, 'abort').length, 0);
  posix.close(fd);
});

t.test('waits pending when the server stops reject, and so do later ones', async (t) => {
  const { server } = running(t);
  const sleeping = server.sleep(600);
  server.stop();
  await t.rejects(sleeping, { code: 'ECANCELED' });
  await t.rejects(server.sleep(1), { code: 'ECANCELED' });
});

t.test('a wait whose event cannot be registered rejects', async (t) => {
  const { server } = running(t);
  await t.rejects(server.sleep(0.5), { code: 'EINVAL' }, 'seconds are whole');
});
