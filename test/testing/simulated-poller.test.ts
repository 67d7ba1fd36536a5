// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { selectPromise } from '../../src/posix/shared/select-once.js';
import t from 'tap';
import { errno, READABLE, WRITABLE } from '../../src/posix/index.js';
import { twoHosts } from './fixture.js';

const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

t.test('a select sleeps for exactly its time and a microsecond', async (t) => {
  const { world, near } = twoHosts({ maxWakeLatencySeconds: 0 });
  const poller = near.posix.createPoller();
  t.same(await world.complete(selectPromise(poller, 7.25)), []);
  t.equal(world.nowSeconds, 7.25);
});

t.test('descriptors that become ready at that moment are in the same result', async (t) => {
  const { world, near } = twoHosts({ maxWakeLatencySeconds: 1 });
  const [one, other] = [near.posix.eventfd(), near.posix.eventfd()];
  const poller = near.posix.createPoller();
  poller.setInterest(one, READABLE);
  poller.setInterest(other, READABLE | WRITABLE);
  world.after(0, () => near.posix.write(other, ONE));
  world.after(0.0000001, () => near.posix.write(one, ONE));
  t.same(await world.complete(selectPromise(poller, 100)), [
    { fd: one, conditions: READABLE },
    { fd: other, conditions: READABLE | WRITABLE },
  ]);
});

t.test('the end of a select that was woken before it does not wake the next one', async (t) => {
  const { world, near } = twoHosts({ maxWakeLatencySeconds: 0 });
  const fd = near.posix.eventfd();
  const poller = near.posix.createPoller();
  poller.setInterest(fd, READABLE);
  world.after(1, () => near.posix.write(fd, ONE));
  t.same(await world.complete(selectPromise(poller, 3)), [{ fd, conditions: READABLE }]);
  near.posix.read(fd, new Uint8Array(8));
  const start = world.nowSeconds;
  t.same(await world.complete(selectPromise(poller, 10)), []);
  t.equal(world.nowSeconds, start + 10);
});

t.test('select sleeps again when the readiness is gone', async (t) => {
  const { world, near } = twoHosts({ maxWakeLatencySeconds: 0.5 });
  const fd = near.posix.eventfd();
  const poller = near.posix.createPoller();
  poller.setInterest(fd, READABLE);
  world.after(1, () => {
    near.posix.write(fd, ONE);
    near.posix.read(fd, new Uint8Array(8));
  });
  world.after(5, () => near.posix.write(fd, ONE));
  t.same(await world.complete(selectPromise(poller, 100)), [{ fd, conditions: READABLE }]);
  t.ok(world.nowSeconds >= 5);
});

t.test('interest set or withdrawn during a sleep takes effect', async (t) => {
  const { world, near } = twoHosts();
  const [ready, later] = [near.posix.eventfd(1), near.posix.eventfd()];
  const poller = near.posix.createPoller();
  poller.setInterest(later, READABLE);
  world.after(1, () => poller.setInterest(later, 0));
  world.after(2, () => near.posix.write(later, ONE));
  world.after(3, () => poller.setInterest(ready, READABLE));
  t.same(await world.complete(selectPromise(poller, 100)), [{ fd: ready, conditions: READABLE }]);
  t.ok(world.nowSeconds >= 3);
});

t.test('what is ready and not asked for any more does not end a select', async (t) => {
  const { world, near } = twoHosts({ maxWakeLatencySeconds: 0 });
  const fd = near.posix.eventfd(1);
  const poller = near.posix.createPoller();
  poller.setInterest(fd, READABLE);
  poller.setInterest(fd, 0);
  t.same(await world.complete(selectPromise(poller, 2)), []);
  t.equal(world.nowSeconds, 2);
});

t.test('shorten only reduces a sleep, and does nothing without a select', async (t) => {
  const { world, near } = twoHosts({ maxWakeLatencySeconds: 0 });
  const poller = near.posix.createPoller();
  poller.shorten(0);
  world.after(1, () => poller.shorten(2));
  world.after(2, () => poller.shorten(50));
  world.after(2, () => poller.shorten(Number.NaN));
  // Nothing is to happen before the end of the sleep.
  world.after(2.5, () => poller.shorten(50));
  await world.complete(selectPromise(poller, 100));
  t.equal(world.nowSeconds, 3);
});

t.test(
  'a number that is closed while it is asked for makes select fail, and is named until it opens again',
  async (t) => {
    const { world, near } = twoHosts();
    const fd = near.posix.eventfd();
    const poller = near.posix.createPoller();
    poller.setInterest(fd, READABLE);
    poller.setInterest(17, WRITABLE);
    t.same(poller.badDescriptors(), [17]);
    world.after(1, () => near.posix.close(fd));
    poller.setInterest(17, 0);
    t.equal(await world.complete(selectPromise(poller, 100)), -errno.EBADF);
    t.same(poller.badDescriptors(), [fd]);
    t.equal(near.posix.eventfd(1), fd);
    t.same(poller.badDescriptors(), []);
    t.same(await world.complete(selectPromise(poller, 100)), [{ fd, conditions: READABLE }]);
  },
);

t.test('close ends a select in progress with nothing ready; calls after it return -EBADF', async (t) => {
  const { world, near } = twoHosts();
  const poller = near.posix.createPoller();
  poller.setInterest(near.posix.eventfd(1), WRITABLE);
  poller.setInterest(40, READABLE);
  poller.setInterest(40, 0);
  const asleep = near.posix.createPoller();
  const waiting = selectPromise(asleep, 100);
  t.ok(asleep.isSleeping);
  asleep.close();
  asleep.close();
  t.same(await waiting, []);
  poller.close();
  poller.setInterest(3, READABLE);
  poller.setInterest(40, READABLE);
  t.same(poller.badDescriptors(), []);
  t.equal(await selectPromise(poller, 1), -errno.EBADF);
  t.equal(near.posix.pollerCount, 0);
  await world.run(1);
});

t.test('two selects of one poller at once are -EBUSY, an invalid time is -EINVAL', async (t) => {
  const { world, near } = twoHosts();
  const poller = near.posix.createPoller();
  const first = selectPromise(poller, 1);
  t.equal(await selectPromise(poller, 1), -errno.EBUSY);
  t.same(await world.complete(first), []);
  t.equal(await selectPromise(poller, -1), -errno.EINVAL);
  t.equal(await selectPromise(poller, Number.NaN), -errno.EINVAL);
});

t.test('what is asked for is traced in the order of the numbers', async (t) => {
  const { world, near } = twoHosts();
  const [three, four] = [near.posix.eventfd(), near.posix.eventfd()];
  const poller = near.posix.createPoller();
  poller.setInterest(four, READABLE | WRITABLE);
  poller.setInterest(20, READABLE);
  poller.setInterest(three, READABLE);
  poller.setInterest(20, 0);
  poller.setInterest(20, 0);
  await world.complete(selectPromise(poller, 1));
  t.match(world.trace.toString(), /select\(\[3r 4rw\], 1 s\)/);
});

t.test('nothing is left to happen of a sleep whose process has died', async (t) => {
  const { world, near } = twoHosts();
  const poller = near.posix.createPoller();
  const fd = near.posix.eventfd(1);
  poller.setInterest(fd, READABLE);
  void selectPromise(near.posix.createPoller(), 1000);
  void selectPromise(poller, 1000);
  near.crash();
  const start = world.nowSeconds;
  t.same(await world.shutDown(), []);
  t.equal(world.nowSeconds, start);
  t.notOk(poller.isSleeping);
  poller.setInterest(fd, WRITABLE);
  poller.shorten(1);
  poller.close();
});

t.test('a new interest in a number takes the place of the one before', async (t) => {
  const { world, near } = twoHosts();
  const fd = near.posix.eventfd(1);
  const poller = near.posix.createPoller();
  poller.setInterest(fd, READABLE);
  poller.setInterest(fd, WRITABLE);
  t.same(await world.complete(selectPromise(poller, 1)), [{ fd, conditions: WRITABLE }]);
});

t.test('no end of a sleep, whether it was shortened or not, wakes the next one', async (t) => {
  const { world, near } = twoHosts({ maxWakeLatencySeconds: 0 });
  const fd = near.posix.eventfd();
  const poller = near.posix.createPoller();
  poller.setInterest(fd, READABLE);
  for (const seconds of [2, 50]) {
    world.after(1, () => {
      poller.shorten(seconds);
      near.posix.write(fd, ONE);
    });
    t.same(await world.complete(selectPromise(poller, 10)), [{ fd, conditions: READABLE }]);
    near.posix.read(fd, new Uint8Array(8));
    const start = world.nowSeconds;
    t.same(await world.complete(selectPromise(poller, 100)), []);
    t.equal(world.nowSeconds, start + 100, `shortened to ${seconds} s`);
  }
});
