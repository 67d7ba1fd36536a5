// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { AF_INET, AF_UNIX, type InetAddress, type SocketAddress, type UnixAddress } from '../address.js';
import { bindWithoutHandle } from './bind-fallback.js';
import type { Bound } from './bound.js';
import { errno } from '../errno.js';
import { fromNodeAddress, type NodeAddress } from './node-address.js';

/** Binds at once: the bound address or a negative errno. The address was checked before. */
export type BindCall = (address: SocketAddress) => Bound | number;

/** The parts of Node's internal TCP and Pipe handles that are used here. Each call answers 0 or a negative errno. */
export interface ServerHandle {
  getsockname?(out: NodeAddress): number;
  listen(backlog: number): number;
  close(): void;
}

/**
 * `net._createServerHandle(address, port, 4 | 6)`, or with a path and -1, -1: a handle, or a negative errno at once.
 * It is undocumented (and the same in Node 18 to 26). Documented ways to listen tell their outcome later.
 */
export type CreateServerHandle = (
  address: string,
  port: number,
  addressType: number,
) => ServerHandle | number;

/** The way to bind on this Node. */
export function nodeBindCall(create = undocumentedCall()): BindCall {
  if (create === undefined) return bindWithoutHandle;
  return (address) => (address.family === AF_UNIX ? bindUnix(create, address) : bindInet(create, address));
}

function undocumentedCall(): CreateServerHandle | undefined {
  return (net as { _createServerHandle?: CreateServerHandle })._createServerHandle;
}

function bindInet(create: CreateServerHandle, wanted: InetAddress): Bound | number {
  const made = create(wanted.address, wanted.port, wanted.family === AF_INET ? 4 : 6);
  if (typeof made === 'number') return made;
  const name: NodeAddress = {};
  // libuv keeps a bind's EADDRINUSE back until the next call on the handle.
  const outcome = made.getsockname?.(name) ?? 0;
  if (outcome < 0) {
    made.close();
    return outcome;
  }
  const address = fromNodeAddress(name) ?? wanted;
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

/**
 * Binding creates the socket file. libuv removes it when the handle is closed, also that of a server that listens there
 * (C leaves it).
 */
function bindUnix(create: CreateServerHandle, address: UnixAddress): Bound | number {
  const made = create(address.path, -1, -1);
  // libuv says EACCES for a directory that does not exist.
  if (made === -errno.EACCES && !fs.existsSync(path.dirname(address.path))) return -errno.ENOENT;
  if (typeof made === 'number') return made;
  let handle: ServerHandle | undefined = made;
  return {
    address,
    listen(server, backlog) {
      // A server takes no handle of a Unix socket. With a path it binds and listens within the call; what the caller
      // may have done to the file's permissions since bind is carried over.
      const mode = fs.statSync(address.path, { throwIfNoEntry: false })?.mode;
      handle?.close();
      handle = undefined;
      server.listen({ path: address.path, backlog });
      if (!server.listening) return -errno.EADDRINUSE;
      if (mode !== undefined) fs.chmodSync(address.path, mode & 0o7777);
      return 0;
    },
    close() {
      handle?.close();
      handle = undefined;
    },
  };
}
