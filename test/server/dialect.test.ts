// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { INFINITE, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';

const nothing = (): void => {};
const tapdisk3 = { dialect: 'tapdisk3', logger: nullLogger } as const;

t.test("a server has tapdisk2's scheduler unless it is made with another dialect", async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  t.equal(server.dialect, 'tapdisk2');
  t.throws(() => server.tapdisk3, {
    message: "the server's dialect is tapdisk2: expected one made with { dialect: 'tapdisk3' }",
  });
  await using other = new TapdiskServer(tapdisk3);
  t.equal(other.dialect, 'tapdisk3');
});

t.test(
  'its calls in seconds serve parts on either dialect; those of tapdisk3 count microseconds',
  async (t) => {
    await using server = new TapdiskServer({ ...tapdisk3, clock: { now: () => 1000.5 } });
    server.registerEvent(TIMEOUT, -1, 15, nothing);
    const id = server.tapdisk3.registerEvent(TIMEOUT, -1, 250_000, nothing);
    const never = server.tapdisk3.registerEvent(TIMEOUT, -1, INFINITE, nothing);
    t.match(
      server.dump(),
      /1 +TIMEOUT +-1 +15 s +in 15 s\n {2}2 +TIMEOUT +-1 +0\.25 s +in 0\.25 s\n {2}3 +TIMEOUT +-1 +infinite +never/,
    );
    t.equal(server.tapdisk3.setEventTimeout(never, 2_000_000), 0);
    t.match(server.dump(), /3 +TIMEOUT +-1 +2 s +in 2 s/);
    server.tapdisk3.unregisterEvent(id);
    server.unregisterEvent(1);
    t.equal([...server.scheduler.events()].length, 1);
    t.equal(server.setMaxTimeout(0), 0);
    t.equal(server.tapdisk3.setMaxTimeout(0), 0);
    t.equal(await server.iterate(), 0);
  },
);

t.test('one call reports all ready modes, and a masked event none', async (t) => {
  await using server = new TapdiskServer(tapdisk3);
  const fd = server.posix.eventfd(1);
  const modes: number[] = [];
  const id = server.tapdisk3.registerEvent(POLL_READ_FD | POLL_WRITE_FD, fd, 0, (_, mode) =>
    modes.push(mode),
  );
  t.equal(await server.iterate(), 0);
  t.same(modes, [POLL_READ_FD | POLL_WRITE_FD]);
  server.tapdisk3.maskEvent(id, true);
  server.setMaxTimeout(0);
  t.equal(await server.iterate(), 0);
  t.equal(modes.length, 1);
});

t.test('a callback may iterate; iterating beside a sleeping wait returns -EDEADLK', async (t) => {
  await using server = new TapdiskServer(tapdisk3);
  const seen: unknown[] = [];
  server.tapdisk3.registerEvent(TIMEOUT, -1, 0, async (id) => {
    server.tapdisk3.maskEvent(id, true);
    seen.push(await server.iterate());
  });
  server.tapdisk3.registerEvent(TIMEOUT, -1, 0, () => seen.push('drained'));
  const wait = server.iterate();
  t.equal(await server.iterate(), -errno.EDEADLK);
  t.equal(await wait, 0);
  t.same(seen, ['drained', 0]);
});

t.test('a run ends when it is stopped, and nothing can be registered then', async (t) => {
  await using server = new TapdiskServer(tapdisk3);
  let calls = 0;
  const event = server.tapdisk3.registerEvent(TIMEOUT, -1, 0, () => {
    calls += 1;
    if (calls === 2) server.stop();
  });
  server.registerEvent(POLL_WRITE_FD, 77, 0, nothing);
  await server.run();
  t.equal(calls, 2, 'the event on a descriptor that is not open did not keep it from running');
  t.same([...server.scheduler.events()], []);
  t.equal(server.tapdisk3.registerEvent(TIMEOUT, -1, 0, nothing), -errno.ECANCELED);
  t.equal(server.registerEvent(TIMEOUT, -1, 0, nothing), -errno.ECANCELED);
  server.tapdisk3.unregisterEvent(event);
});

t.test('a stop wakes a waiting callback, and ends the run after it', async (t) => {
  await using server = new TapdiskServer(tapdisk3);
  const answers: number[] = [];
  server.tapdisk3.registerEvent(TIMEOUT, -1, 0, async (id) => {
    server.tapdisk3.unregisterEvent(id);
    setImmediate(() => server.stop());
    answers.push(await server.iterate());
  });
  await server.run();
  t.same(answers, [0]);
});
