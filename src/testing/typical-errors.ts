// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { EAI_AGAIN, EAI_FAIL, EAI_MEMORY } from '../posix/gai.js';
import type { CallName } from './call-faults.js';

/**
 * What each call fails with in practice, the most likely first: what a fault returns unless it names an error.
 * bind's EADDRNOTAVAIL is not among them: to the connect module it is no failure, but the news that it is the client.
 */
export const TYPICAL_ERRORS: { readonly [Call in CallName]: readonly [number, ...number[]] } = {
  socket: [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM],
  setsockopt: [errno.ENOPROTOOPT, errno.ENOMEM],
  getsockopt: [errno.ENOBUFS, errno.ENOPROTOOPT],
  fcntl: [errno.EINVAL, errno.EPERM],
  bind: [errno.EADDRINUSE, errno.EACCES],
  listen: [errno.EADDRINUSE, errno.EOPNOTSUPP],
  accept: [errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS],
  connect: [
    errno.ECONNREFUSED,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EADDRNOTAVAIL,
    errno.ETIMEDOUT,
    errno.EINTR,
  ],
  close: [errno.EIO, errno.EINTR],
  read: [errno.ECONNRESET, errno.EIO, errno.ETIMEDOUT],
  write: [errno.EPIPE, errno.ECONNRESET, errno.EIO],
  shutdown: [errno.ENOTCONN],
  getsockname: [errno.ENOBUFS],
  getpeername: [errno.ENOTCONN],
  getaddrinfo: [EAI_AGAIN, EAI_FAIL, EAI_MEMORY],
  resolve: [EAI_AGAIN, EAI_FAIL, EAI_MEMORY],
  eventfd: [errno.EMFILE, errno.ENFILE],
  timerfd: [errno.EMFILE, errno.ENFILE],
  timerfdSettime: [errno.EINVAL, errno.ENOMEM],
  select: [errno.EINTR, errno.ENOMEM],
};
