// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { selectPromise } from '../../../src/posix/shared/select-once.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  READABLE,
  SOCK_STREAM,
  WRITABLE,
} from '../../../src/posix/index.js';
import { type Behaviour, listening } from './world.js';

const buffer = new Uint8Array(8);

/** Rules D1 to D4. */
export const descriptors: readonly Behaviour[] = [
  {
    title: 'D1: a new descriptor is the lowest free number from 3 up, and closing frees its number',
    body: async (t, { a }) => {
      t.same(
        [1, 2, 3, 4].map(() => a.socket(AF_INET, SOCK_STREAM)),
        [3, 4, 5, 6],
      );
      t.equal(a.close(5), 0);
      t.equal(a.close(3), 0);
      t.equal(a.close(4), 0);
      t.same(
        [1, 2, 3, 4].map(() => a.socket(AF_INET, SOCK_STREAM)),
        [3, 4, 5, 7],
      );
    },
  },
  {
    title:
      'D2: every call on a number that is not open returns -EBADF, and so does anything that is not a descriptor number',
    body: async (t, { a, hostB }) => {
      const closed = a.socket(AF_INET, SOCK_STREAM);
      a.close(closed);
      const calls: Record<string, (fd: number) => unknown> = {
        setsockopt: (fd) => a.setsockopt(fd, 1, 2, 1),
        getsockopt: (fd) => a.getsockopt(fd, 1, 4),
        fcntl: (fd) => a.fcntl(fd, 3),
        bind: (fd) => a.bind(fd, hostB),
        listen: (fd) => a.listen(fd, 1),
        accept: (fd) => a.accept(fd),
        connect: (fd) => a.connect(fd, hostB),
        read: (fd) => a.read(fd, buffer),
        write: (fd) => a.write(fd, buffer),
        shutdown: (fd) => a.shutdown(fd, 1),
        getsockname: (fd) => a.getsockname(fd),
        getpeername: (fd) => a.getpeername(fd),
        close: (fd) => a.close(fd),
      };
      const numbers = [closed, -1, 0, 1.5, 1e9, Number.NaN, Infinity, '3', undefined, null, {}] as number[];
      for (const [name, call] of Object.entries(calls)) {
        t.same(
          numbers.filter((fd) => call(fd) !== -errno.EBADF),
          [],
          `the numbers for which ${name} answers anything but -EBADF`,
        );
      }
      t.same(a.openDescriptors(), []);
    },
  },
  {
    title: 'D3: interest is in the number: it passes to the descriptor that next opens under it',
    body: async (t, { a }) => {
      const poller = a.createPoller();
      const first = a.eventfd(1);
      poller.setInterest(first, READABLE);
      t.same(await selectPromise(poller, 0), [{ fd: first, conditions: READABLE }]);
      a.close(first);
      const second = a.eventfd(0);
      t.equal(second, first);
      t.same(await selectPromise(poller, 0), []);
      a.write(second, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
      t.same(await selectPromise(poller, 0), [{ fd: second, conditions: READABLE }]);
      poller.close();
    },
  },
  {
    title: 'D4: select with a number that is not open fails with -EBADF, and the poller names it',
    body: async (t, { a }) => {
      const open = a.eventfd(1);
      const closed = a.eventfd();
      a.close(closed);
      t.equal(await a.select({ read: [open, closed] }, 0), -errno.EBADF);
      t.equal(await a.select({ except: [closed] }, 0), -errno.EBADF);
      t.equal(await a.select({ write: [-1] }, 0), -errno.EBADF);
      const poller = a.createPoller();
      poller.setInterest(900, WRITABLE);
      poller.setInterest(closed, READABLE);
      poller.setInterest(open, READABLE);
      t.equal(await selectPromise(poller, 5), -errno.EBADF);
      t.same(poller.badDescriptors(), [closed, 900]);
      poller.setInterest(900, 0);
      t.equal(await selectPromise(poller, 5), -errno.EBADF);
      t.equal(a.eventfd(), closed);
      t.same(poller.badDescriptors(), []);
      t.same(await selectPromise(poller, 5), [{ fd: open, conditions: READABLE }]);
      a.close(open);
      t.equal(await selectPromise(poller, 5), -errno.EBADF);
      t.same(poller.badDescriptors(), [open]);
      poller.close();
    },
  },
  {
    title: 'socket knows AF_INET, AF_INET6 and AF_UNIX with SOCK_STREAM',
    body: async (t, { a }) => {
      for (const domain of [AF_INET, AF_INET6, AF_UNIX]) t.ok(a.socket(domain, SOCK_STREAM, 0) >= 3);
      t.ok(a.socket(AF_INET, SOCK_STREAM, 6) >= 3);
      t.equal(a.socket(17, SOCK_STREAM), -errno.EAFNOSUPPORT);
      t.equal(a.socket(Number.NaN, SOCK_STREAM), -errno.EAFNOSUPPORT);
      t.equal(a.socket(AF_INET, 2), -errno.EPROTONOSUPPORT);
      t.equal(a.socket(AF_INET, SOCK_STREAM, 17), -errno.EPROTONOSUPPORT);
      t.equal(a.socket(AF_UNIX, SOCK_STREAM, 6), -errno.EPROTONOSUPPORT);
      t.equal(a.openDescriptors().length, 4);
    },
  },
  {
    title: 'at the limit socket and eventfd return -EMFILE, and a freed number is handed out again',
    body: async (t, { a, maxDescriptorsOfA }) => {
      const numbers = Array.from({ length: maxDescriptorsOfA - 3 }, (_, index) => index + 3);
      t.same(
        numbers.map(() => a.socket(AF_INET, SOCK_STREAM)),
        numbers,
      );
      t.equal(a.socket(AF_INET, SOCK_STREAM), -errno.EMFILE);
      t.equal(a.eventfd(), -errno.EMFILE);
      t.equal(a.socket(99, SOCK_STREAM), -errno.EAFNOSUPPORT, 'what can never work is told first');
      a.close(4);
      t.equal(a.eventfd(), 4);
    },
  },
  {
    title: 'the open descriptors are listed in ascending order with a word on each',
    body: async (t, { b, hostB }) => {
      const listener = listening(b, hostB);
      const counter = b.eventfd(7);
      const socket = b.socket(AF_INET, SOCK_STREAM);
      t.same(
        b.openDescriptors().map(({ fd }) => fd),
        [listener.fd, counter, socket],
      );
      for (const { description } of b.openDescriptors()) t.match(description, /^[a-z].+/);
      t.match(b.openDescriptors()[0]?.description, /listening/);
    },
  },
];
