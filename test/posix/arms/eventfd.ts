// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, errno, READABLE, SOCK_STREAM } from '../../../src/posix/index.js';
import { type Behaviour, readiness, readyFor } from './world.js';

function u64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

const LARGEST = 2n ** 64n - 1n;

/** The counter descriptor. */
export const eventfd: readonly Behaviour[] = [
  {
    title: 'eventfd: writes add up, read returns the sum and clears it, and at 0 returns -EAGAIN',
    body: async (t, { a }) => {
      const fd = a.eventfd();
      const sum = Buffer.alloc(12);
      t.equal(a.read(fd, sum), -errno.EAGAIN);
      t.equal(a.write(fd, u64(3n)), 8);
      t.equal(a.write(fd, u64(2n ** 40n)), 8);
      t.equal(a.read(fd, sum.subarray(3)), 8);
      t.equal(sum.readBigUInt64LE(3), 2n ** 40n + 3n);
      t.equal(a.read(fd, sum), -errno.EAGAIN);
      t.equal(a.write(fd, u64(0n)), 8);
      t.equal(a.read(fd, sum), -errno.EAGAIN);
    },
  },
  {
    title:
      'eventfd: ready for READ while the sum is not 0, for WRITE while at least 1 can be added; a write wakes a select',
    body: async (t, { a }) => {
      const fd = a.eventfd(0);
      t.equal(await readyFor(a, fd), 'W');
      const woken = readiness(a, fd, READABLE);
      a.write(fd, u64(1n));
      await woken;
      t.equal(await readyFor(a, fd), 'RW');
      a.write(fd, u64(LARGEST - 2n));
      t.equal(await readyFor(a, fd), 'R');
      t.equal(a.write(fd, u64(1n)), -errno.EAGAIN);
      t.equal(a.read(fd, new Uint8Array(8)), 8);
      t.equal(await readyFor(a, fd), 'W');
    },
  },
  {
    title: 'eventfd: too small a buffer and the largest number are -EINVAL, and change nothing',
    body: async (t, { a }) => {
      const fd = a.eventfd(5);
      t.equal(a.read(fd, new Uint8Array(7)), -errno.EINVAL);
      t.equal(a.write(fd, new Uint8Array(7)), -errno.EINVAL);
      t.equal(a.write(fd, u64(LARGEST)), -errno.EINVAL);
      const sum = Buffer.alloc(8);
      t.equal(a.read(fd, sum), 8);
      t.equal(sum.readBigUInt64LE(), 5n);
    },
  },
  {
    title: 'eventfd: the initial value is an unsigned 32-bit integer',
    body: async (t, { a }) => {
      for (const bad of [-1, 0.5, 2 ** 32, Number.NaN, '1' as unknown as number])
        t.equal(a.eventfd(bad), -errno.EINVAL);
      const fd = a.eventfd(2 ** 32 - 1);
      const sum = Buffer.alloc(8);
      a.read(fd, sum);
      t.equal(sum.readBigUInt64LE(), 2n ** 32n - 1n);
    },
  },
  {
    title: 'eventfd: calls for sockets answer -ENOTSOCK',
    body: async (t, { a, hostB }) => {
      const fd = a.eventfd();
      t.equal(a.bind(fd, hostB), -errno.ENOTSOCK);
      t.equal(a.listen(fd, 1), -errno.ENOTSOCK);
      t.equal(a.accept(fd), -errno.ENOTSOCK);
      t.equal(a.connect(fd, hostB), -errno.ENOTSOCK);
      t.equal(a.shutdown(fd, 1), -errno.ENOTSOCK);
      t.equal(a.getsockname(fd), -errno.ENOTSOCK);
      t.equal(a.getpeername(fd), -errno.ENOTSOCK);
      t.equal(a.setsockopt(fd, 1, 2, 1), -errno.ENOTSOCK);
      t.equal(a.getsockopt(fd, 1, 4), -errno.ENOTSOCK);
      t.equal(a.close(fd), 0);
      t.equal(a.socket(AF_INET, SOCK_STREAM), fd);
    },
  },
];
