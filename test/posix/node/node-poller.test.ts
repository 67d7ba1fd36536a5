// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough } from 'node:stream';
import { selectPromise } from '../../../src/posix/shared/select-once.js';
import t, { type Test } from 'tap';
import { errno, type NodePosix, type Poller, READABLE, WRITABLE } from '../../../src/posix/index.js';
import { Random } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';
import { ManualTimers, posixFor, turns } from '../fixture.js';

const one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
const sum = new Uint8Array(8);

function pollerFor(t: Test, posix: NodePosix): Poller {
  const poller = posix.createPoller();
  t.teardown(() => {
    poller.close();
  });
  return poller;
}

t.test('it sleeps for its time, on the monotonic clock, and then reports nothing ready', async (t) => {
  const timers = new ManualTimers();
  const poller = pollerFor(t, posixFor(t, { timers }));
  let answer: unknown = 'asleep';
  void selectPromise(poller, 600).then((got) => (answer = got));
  timers.pass(599_999);
  await turns();
  t.equal(answer, 'asleep');
  timers.pass(1);
  await turns();
  t.same(answer, []);
});

t.test('the first readiness wakes select, and everything of the same turn is reported', async (t) => {
  const timers = new ManualTimers();
  const posix = posixFor(t, { timers });
  const poller = pollerFor(t, posix);
  const [a, b, c] = [posix.eventfd(), posix.eventfd(), posix.eventfd()];
  for (const fd of [c, a, b]) poller.setInterest(fd, READABLE);
  const answer = selectPromise(poller, 600);
  await turns();
  posix.write(c, one);
  await Promise.resolve();
  posix.write(a, one);
  t.same(
    await answer,
    [
      { fd: a, conditions: READABLE },
      { fd: c, conditions: READABLE },
    ],
    'in ascending order',
  );
});

t.test('a number that was not open is waited for once it is', async (t) => {
  const posix = posixFor(t);
  const poller = pollerFor(t, posix);
  const fd = posix.eventfd(1);
  posix.close(fd);
  poller.setInterest(fd, READABLE);
  t.equal(await selectPromise(poller, 600), -errno.EBADF);
  t.equal(posix.eventfd(1), fd);
  t.same(poller.badDescriptors(), []);
  t.same(await selectPromise(poller, 600), [{ fd, conditions: READABLE }]);
});

t.test('interest set during a sleep takes effect at once', async (t) => {
  const posix = posixFor(t);
  const poller = pollerFor(t, posix);
  const fd = posix.eventfd(1);
  const answer = selectPromise(poller, 600);
  await turns();
  poller.setInterest(fd, READABLE | WRITABLE);
  t.same(await answer, [{ fd, conditions: READABLE | WRITABLE }]);
  poller.setInterest(fd, WRITABLE);
  t.same(await selectPromise(poller, 600), [{ fd, conditions: WRITABLE }]);
  poller.setInterest(fd, 0);
  poller.setInterest(fd, 0);
  t.same(await selectPromise(poller, 0), []);
});

t.test('select sleeps again when the readiness that woke it is gone before it returns', async (t) => {
  const timers = new ManualTimers();
  const posix = posixFor(t, { timers });
  const poller = pollerFor(t, posix);
  const fd = posix.eventfd();
  poller.setInterest(fd, READABLE);
  let answer: unknown = 'asleep';
  void selectPromise(poller, 10).then((got) => (answer = got));
  posix.write(fd, one);
  posix.read(fd, sum);
  await turns();
  t.equal(answer, 'asleep');
  timers.pass(10_000);
  await turns();
  t.same(answer, []);
});

t.test(
  'a number that is closed in its sleep wakes it with -EBADF; closed and forgotten in one go does not',
  async (t) => {
    const posix = posixFor(t);
    const poller = pollerFor(t, posix);
    const [a, b] = [posix.eventfd(), posix.eventfd()];
    poller.setInterest(a, READABLE);
    poller.setInterest(b, READABLE);
    const answer = selectPromise(poller, 600);
    await turns();
    posix.close(a);
    poller.setInterest(a, 0);
    await turns();
    posix.close(b);
    t.equal(await answer, -errno.EBADF);
    t.same(poller.badDescriptors(), [b]);
  },
);

t.test('shorten reduces the sleep in progress, and never extends it', async (t) => {
  const timers = new ManualTimers();
  const posix = posixFor(t, { timers });
  const poller = pollerFor(t, posix);
  poller.shorten(0);
  poller.shorten(5);
  t.same(timers.set, [], 'nobody sleeps');
  let answered = 0;
  const sleep = async (seconds: number): Promise<void> => {
    t.same(await selectPromise(poller, seconds), []);
    answered += 1;
  };
  let sleeping = sleep(100);
  poller.shorten(5);
  poller.shorten(50);
  poller.shorten(Number.NaN);
  poller.shorten(-1);
  timers.pass(4999);
  await turns();
  t.equal(answered, 0);
  timers.pass(1);
  await sleeping;
  sleeping = sleep(100);
  poller.shorten(0);
  poller.shorten(0);
  await sleeping;
  sleeping = sleep(Infinity);
  timers.pass(1e12);
  await turns();
  t.equal(answered, 2);
  poller.shorten(1);
  timers.pass(1000);
  await sleeping;
});

t.test(
  'shortening a sleep that is being ended keeps to the shorter time if it was woken for nothing',
  async (t) => {
    const timers = new ManualTimers();
    const posix = posixFor(t, { timers });
    const poller = pollerFor(t, posix);
    const fd = posix.eventfd();
    poller.setInterest(fd, READABLE);
    const answer = selectPromise(poller, 100);
    posix.write(fd, one);
    poller.shorten(7);
    posix.read(fd, sum);
    await turns();
    timers.pass(7000);
    t.same(await answer, []);
  },
);

t.test('one call at a time; a time must be 0 or more', async (t) => {
  const poller = pollerFor(t, posixFor(t));
  const first = selectPromise(poller, 600);
  t.equal(await selectPromise(poller, 0), -errno.EBUSY);
  t.equal(await selectPromise(poller, -0.5), -errno.EINVAL);
  t.equal(await selectPromise(poller, Number.NaN), -errno.EINVAL);
  poller.shorten(0);
  t.same(await first, []);
});

t.test('close wakes a sleeping select with nothing ready, and ends its use', async (t) => {
  const timers = new ManualTimers();
  const posix = posixFor(t, { timers });
  const poller = posix.createPoller();
  const fd = posix.eventfd(1);
  poller.setInterest(99, READABLE);
  poller.setInterest(99, 0);
  const sleeper = selectPromise(poller, 600);
  poller.close();
  t.same(await sleeper, []);
  t.same(timers.set, []);
  poller.setInterest(fd, READABLE);
  t.equal(await selectPromise(poller, 0), -errno.EBADF);
  t.same(poller.badDescriptors(), []);
  const busy = posix.createPoller();
  busy.setInterest(fd, READABLE);
  const woken = selectPromise(busy, 600);
  busy.close();
  t.same(await woken, []);
  await turns();
});

t.test('a call is answered once, also if the poller is closed when it is about to be', async (t) => {
  const timers = new ManualTimers();
  const posix = posixFor(t, { timers });
  for (const seconds of [0, 600]) {
    const poller = posix.createPoller();
    const fd = posix.eventfd(1);
    poller.setInterest(fd, READABLE);
    const answers: unknown[] = [];
    poller.select(seconds, (answer) => void answers.push(answer));
    poller.close();
    await turns();
    t.same(answers, [[]]);
    t.same(timers.set, []);
  }
});

t.test('a time of 0 needs no timer, and what has been answered holds no process alive', async (t) => {
  const timers = new ManualTimers();
  const posix = posixFor(t, { timers });
  const poller = pollerFor(t, posix);
  t.same(await selectPromise(poller, 0), []);
  t.same(timers.set, []);
  const fd = posix.eventfd();
  poller.setInterest(fd, READABLE);
  const answer = selectPromise(poller, 600);
  t.match(timers.set, [{ referenced: true }]);
  posix.write(fd, one);
  t.same(await answer, [{ fd, conditions: READABLE }]);
  t.match(timers.set, [{ referenced: false }]);
  poller.shorten(5);
  t.match(timers.set, [{ referenced: false }], 'nobody sleeps');
});

t.test('a call that is made in the callback of another sleeps for its time', async (t) => {
  const timers = new ManualTimers();
  const poller = pollerFor(t, posixFor(t, { timers }));
  const answers: unknown[] = [];
  poller.select(1, (first) => {
    answers.push(first);
    poller.select(2, (second) => void answers.push(second));
  });
  timers.pass(1000);
  await turns();
  t.same(answers, [[]]);
  t.match(timers.set, [{ referenced: true }]);
  timers.pass(2000);
  await turns();
  t.same(answers, [[], []]);
});

t.test('a stream is read ahead while a poller asks for it, and no longer', async (t) => {
  const posix = posixFor(t);
  const poller = pollerFor(t, posix);
  const stream = new PassThrough();
  const fd = posix.adopt(stream);
  poller.setInterest(fd, WRITABLE);
  poller.setInterest(fd, READABLE | WRITABLE);
  stream.write('some');
  await turns();
  t.equal(stream.readableLength, 0, 'it was read');
  poller.setInterest(fd, 0);
  stream.write('more');
  await turns();
  t.equal(stream.readableLength, 4, 'it is left where it is');
  poller.close();
  const other = new PassThrough();
  poller.setInterest(posix.adopt(other), READABLE);
  t.equal(other.listenerCount('data'), 0, 'after the close nothing is asked for');
});

t.test('what is ready is exactly what is asked for and holds, whatever came and went before', async (t) => {
  const posix = posixFor(t);
  const poller = pollerFor(t, posix);
  const random = new Random(randomSeed(t));
  const numbers = Array.from({ length: 6 }, () => posix.eventfd());
  const state = new Map(numbers.map((fd) => [fd, { isSet: false, interest: 0 }]));
  for (let step = 0; step < 600; step++) {
    const fd = numbers[random.word() % numbers.length] as number;
    const now = state.get(fd) as { isSet: boolean; interest: number };
    switch (random.word() % 3) {
      case 0:
        posix.write(fd, one);
        now.isSet = true;
        break;
      case 1:
        posix.read(fd, sum);
        now.isSet = false;
        break;
      default:
        now.interest = [0, READABLE, WRITABLE, READABLE | WRITABLE][random.word() % 4] as number;
        poller.setInterest(fd, now.interest);
    }
    if (step % 4 !== 0) continue;
    const expected = numbers
      .map((number) => ({ number, ...(state.get(number) as { isSet: boolean; interest: number }) }))
      .map(({ number, isSet, interest }) => ({
        fd: number,
        conditions: interest & (isSet ? READABLE | WRITABLE : WRITABLE),
      }))
      .filter(({ conditions }) => conditions !== 0);
    const ready = await selectPromise(poller, 0);
    if (JSON.stringify(ready) !== JSON.stringify(expected)) return t.same(ready, expected, `step ${step}`);
  }
  return t.pass('no step differs');
});

t.test('an empty interest in a descriptor is no interest, whether it is open or not', async (t) => {
  const posix = posixFor(t);
  const poller = pollerFor(t, posix);
  const fd = posix.eventfd(1);
  for (const descriptor of [fd, 99]) poller.setInterest(descriptor, 0);
  t.same(poller.badDescriptors(), []);
  t.same(await selectPromise(poller, 0), []);
});

t.test('each poller has its own interest', async (t) => {
  const posix = posixFor(t);
  const [first, second] = [pollerFor(t, posix), pollerFor(t, posix)];
  const fd = posix.eventfd(1);
  first.setInterest(fd, READABLE);
  second.setInterest(fd, WRITABLE);
  t.same(await selectPromise(first, 600), [{ fd, conditions: READABLE }]);
  t.same(await selectPromise(second, 600), [{ fd, conditions: WRITABLE }]);
  first.setInterest(fd, 0);
  t.same(await selectPromise(first, 0), []);
  t.same(await selectPromise(second, 0), [{ fd, conditions: WRITABLE }]);
});

t.test('every call lets the event loop poll once, also with something ready and time 0', async (t) => {
  const posix = posixFor(t);
  const poller = pollerFor(t, posix);
  poller.setInterest(posix.eventfd(1), READABLE);
  let turnsOfTheLoop = 0;
  let counting = true;
  const count = (): void => {
    turnsOfTheLoop += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  for (let call = 0; call < 50; call++) await selectPromise(poller, call % 2);
  counting = false;
  t.ok(turnsOfTheLoop >= 49, `${turnsOfTheLoop} turns in 50 calls`);
});

t.test('a call checks readiness, not the registered interest', async (t) => {
  const count = 100_000;
  const posix = posixFor(t, { maxDescriptors: count + 10 });
  const poller = pollerFor(t, posix);
  const numbers = Array.from({ length: count }, () => posix.eventfd());
  for (const fd of numbers) poller.setInterest(fd, READABLE);
  const last = numbers[count - 1] as number;
  const looked: number[] = [];
  for (let call = 0; call < 3; call++) {
    posix.write(last, one);
    t.same(await selectPromise(poller, 600), [{ fd: last, conditions: READABLE }]);
    posix.read(last, sum);
    const started = performance.now();
    for (let time = 0; time < 100; time++) {
      posix.write(last, one);
      await selectPromise(poller, 600);
      posix.read(last, sum);
    }
    looked.push(performance.now() - started);
  }
  t.comment(`100 calls with 100,000 numbers asked for: ${looked.map((ms) => ms.toFixed(2)).join(', ')} ms`);
  // Going through all numbers would take 100 times 100,000 steps; the bound leaves two orders of magnitude either way.
  t.ok(Math.min(...looked) < 100);
});

t.test('select completes from an empty stack, and its callback may call it again', async (t) => {
  const posix = posixFor(t);
  const poller = posix.createPoller();
  const fd = posix.eventfd(1);
  poller.setInterest(fd, READABLE);
  let inCall = false;
  const ask = (seconds: number, meanwhile = (): void => {}): Promise<unknown> =>
    new Promise((resolve) => {
      inCall = true;
      poller.select(seconds, (answer) => {
        t.notOk(inCall);
        resolve(answer);
      });
      meanwhile();
      inCall = false;
    });
  t.same(await ask(600), [{ fd, conditions: READABLE }]);
  poller.setInterest(fd, 0);
  t.same(await ask(0), []);
  t.equal(await ask(-1), -errno.EINVAL);
  let second: Promise<unknown> | undefined;
  const askTwice = (): void => {
    second = ask(1, () => poller.shorten(0));
  };
  t.same(await ask(600, askTwice), []);
  t.equal(await second, -errno.EBUSY);
  t.same(await ask(600, () => poller.close()), []);
  t.equal(await ask(0), -errno.EBADF);
});
