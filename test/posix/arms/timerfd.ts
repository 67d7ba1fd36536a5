// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, READABLE } from '../../../src/posix/index.js';
import { type Behaviour, readiness, readyFor } from './world.js';

/** The timer descriptor. */
export const timerfd: readonly Behaviour[] = [
  {
    title: 'timerfd: ready for READ from its deadline on, until it is read',
    body: async (t, { a }) => {
      const fd = a.timerfd();
      const count = Buffer.alloc(8, 0xff);
      t.equal(a.read(fd, count), -errno.EAGAIN, 'no deadline');
      t.equal(a.timerfdSettime(fd, 0.005), 0);
      t.equal(a.read(fd, count), -errno.EAGAIN, 'not yet');
      await readiness(a, fd, READABLE);
      t.equal(a.read(fd, count), 8);
      t.equal(count.readBigUInt64LE(), 1n);
      t.equal(a.read(fd, count), -errno.EAGAIN, 'once');
      t.equal(await readyFor(a, fd), '');
    },
  },
  {
    title: 'timerfd: a new deadline takes the place of the old one, and 0 takes it away, expired or not',
    body: async (t, { a }) => {
      const early = a.timerfd();
      const late = a.timerfd();
      a.timerfdSettime(early, 0.001);
      a.timerfdSettime(early, 0);
      a.timerfdSettime(late, 3600);
      a.timerfdSettime(late, 0.01);
      await readiness(a, late, READABLE);
      t.equal(await readyFor(a, early), '');
      a.timerfdSettime(late, 0);
      t.equal(await readyFor(a, late), '');
      t.equal(a.read(late, new Uint8Array(8)), -errno.EAGAIN);
    },
  },
  {
    title: 'timerfd: what cannot be is refused by its errno',
    body: async (t, { a }) => {
      const fd = a.timerfd();
      t.same(
        [-1, Number.NaN, Infinity].map((seconds) => a.timerfdSettime(fd, seconds)),
        [-errno.EINVAL, -errno.EINVAL, -errno.EINVAL],
      );
      t.equal(a.timerfdSettime(a.eventfd(), 1), -errno.EINVAL);
      t.equal(a.timerfdSettime(999, 1), -errno.EBADF);
      t.equal(a.read(fd, new Uint8Array(7)), -errno.EINVAL);
      t.equal(a.write(fd, new Uint8Array(8)), -errno.EINVAL);
      a.timerfdSettime(fd, 1);
      t.equal(a.close(fd), 0);
    },
  },
];
