// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, AF_UNIX, formatAddress, type SocketAddress } from '../posix/address.js';
import { absolutePath } from '../posix/exact-text.js';

/**
 * The URI of an export, in the form of the NBD project's URI specification, as libnbd and QEMU take it.
 *
 * @param address where the server listens; the loopback address stands for one that means all of a host's
 * @param name the export's
 * @param secure whether the server requires TLS
 * @throws SystemError EILSEQ for a relative path where the current directory's is not UTF-8
 */
export function nbdUri(address: SocketAddress, name: string, secure: boolean): string {
  const scheme = secure ? 'nbds' : 'nbd';
  const exportName = encodeURIComponent(name);
  if (address.family === AF_UNIX) {
    const socket = absolutePath(address.path).split('/').map(encodeURIComponent).join('/');
    return `${scheme}+unix:///${exportName}?socket=${socket}`;
  }
  return `${scheme}://${formatAddress(reachable(address))}/${exportName}`;
}

function reachable(address: Exclude<SocketAddress, { family: typeof AF_UNIX }>): SocketAddress {
  if (address.family === AF_INET) {
    return address.address === '0.0.0.0' ? { ...address, address: '127.0.0.1' } : address;
  }
  return address.address === '::' ? { ...address, address: '::1' } : address;
}
