// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isIPv4 } from 'node:net';
import os from 'node:os';
import { AF_UNIX, type InetAddress, type SocketAddress } from '../address.js';
import { bindUnix } from './bind-unix.js';
import type { Bound } from './bound.js';
import { errno } from '../errno.js';

/**
 * bind on a Node without the undocumented call: the same results as far as documented ways give them.
 *
 * - An address that no interface has is -EADDRNOTAVAIL at once, as it must be.
 * - The port is taken by listen only. Port 0 stays 0 until then, and a moment longer.
 * - A port in use shows after listen has returned 0: the listener is then ready for READ and its accept returns
 *   -EADDRINUSE, as does SO_ERROR.
 * - A Unix path that exists is -EADDRINUSE at once; the file is created by listen.
 */
export function bindWithoutHandle(address: SocketAddress): Bound | number {
  return address.family === AF_UNIX ? bindUnix(undefined, address) : bindInet(address);
}

function bindInet(address: InetAddress): Bound | number {
  if (!isLocal(address.address)) return -errno.EADDRNOTAVAIL;
  return {
    address,
    listen(server, backlog) {
      server.listen({ host: address.address, port: address.port, backlog });
      return 0;
    },
    close() {},
  };
}

/** Whether this host has the address: any of 127.0.0.0/8, the two wildcards, and what its interfaces have. */
function isLocal(address: string): boolean {
  if (address === '::' || address === '0.0.0.0' || (isIPv4(address) && address.startsWith('127.')))
    return true;
  const requested = canonical(address);
  return Object.values(os.networkInterfaces())
    .flat()
    .some((entry) => entry !== undefined && canonical(entry.address) === requested);
}

/** One spelling for each address: `::1` for `0:0:0:0:0:0:0:1`, without the scope. */
function canonical(address: string): string {
  const bare = address.replace(/%.*$/u, '');
  return isIPv4(bare) ? bare : new URL(`http://[${bare}]/`).hostname;
}
