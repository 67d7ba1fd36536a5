// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isIPv4, isIPv6 } from 'node:net';
import { AF_INET, AF_INET6, AF_UNIX, type SocketAddress } from '../address.js';
import { errno } from '../errno.js';

/** The longest path of a Unix socket in bytes (C: sizeof sun_path, less the terminating zero). */
export const MAX_UNIX_PATH_BYTES = 107;

/**
 * Whether an address can be bound or connected to by a socket of the given domain: 0, or the negative errno.
 *
 * -EFAULT when it is no address at all, -EAFNOSUPPORT for another family than the socket's, -EINVAL for a malformed
 * host or a port that is not a whole number from 0 to 65535, -ENAMETOOLONG for a path that does not fit. Unix sockets
 * without a path and in the abstract namespace (a zero byte in the path) are not known: -EINVAL.
 */
export function checkAddress(address: SocketAddress, domain: number): number {
  if (typeof address !== 'object' || address === null) return -errno.EFAULT;
  if (address.family !== domain) return -errno.EAFNOSUPPORT;
  switch (address.family) {
    case AF_UNIX:
      return checkPath(address.path);
    case AF_INET:
      return isIPv4(address.address) ? checkPort(address.port) : -errno.EINVAL;
    case AF_INET6:
      return isIPv6(address.address) ? checkPort(address.port) : -errno.EINVAL;
  }
}

function checkPort(port: number): number {
  return Number.isInteger(port) && port >= 0 && port <= 65_535 ? 0 : -errno.EINVAL;
}

function checkPath(path: string): number {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) return -errno.EINVAL;
  return Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES ? -errno.ENAMETOOLONG : 0;
}
