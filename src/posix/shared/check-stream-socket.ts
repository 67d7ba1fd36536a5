// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM } from '../address.js';
import { errno } from '../errno.js';
import { IPPROTO_TCP } from '../posix.js';

/** Whether there are sockets of a kind: 0, -EAFNOSUPPORT for another domain, -EPROTONOSUPPORT for another type. */
export function checkStreamSocket(domain: number, type: number, protocol: number): number {
  if (domain !== AF_INET && domain !== AF_INET6 && domain !== AF_UNIX) return -errno.EAFNOSUPPORT;
  const isKnown = protocol === 0 || (protocol === IPPROTO_TCP && domain !== AF_UNIX);
  return type === SOCK_STREAM && isKnown ? 0 : -errno.EPROTONOSUPPORT;
}
