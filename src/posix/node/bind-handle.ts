// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import net from 'node:net';
import { AF_INET, AF_UNIX, type InetAddress, type SocketAddress } from '../address.js';
import { bindWithoutHandle } from './bind-fallback.js';
import { bindUnix } from './bind-unix.js';
import type { Bound } from './bound.js';
import { fromNodeAddress, type NodeAddress } from './node-address.js';
import type { CreateServerHandle, ServerHandle } from './server-handle.js';

/** Binds at once: the bound address or a negative errno. The address was checked before. */
export type BindCall = (address: SocketAddress) => Bound | number;

/** The way to bind on this Node. */
export function nodeBindCall(create = undocumentedCall()): BindCall {
  if (create === undefined) return bindWithoutHandle;
  return (address) => (address.family === AF_UNIX ? bindUnix(create, address) : bindInet(create, address));
}

function undocumentedCall(): CreateServerHandle | undefined {
  return (net as { _createServerHandle?: CreateServerHandle })._createServerHandle;
}

function bindInet(create: CreateServerHandle, requested: InetAddress): Bound | number {
  const made = create(requested.address, requested.port, requested.family === AF_INET ? 4 : 6);
  if (typeof made === 'number') return made;
  const name: NodeAddress = {};
  // libuv keeps a bind's EADDRINUSE back until the next call on the handle.
  const outcome = made.getsockname?.(name) ?? 0;
  if (outcome < 0) {
    made.close();
    return outcome;
  }
  const address = fromNodeAddress(name) ?? requested;
  let handle: ServerHandle | undefined = made;
  return {
    address,
    listen(server, backlog) {
      if (handle === undefined) {
        const again = bindInet(create, address as InetAddress);
        return typeof again === 'number' ? again : again.listen(server, backlog);
      }
      const busy = handle.listen(backlog);
      if (busy < 0) return busy;
      server.listen(handle, backlog);
      handle = undefined;
      return 0;
    },
    close() {
      handle?.close();
      handle = undefined;
    },
  };
}
