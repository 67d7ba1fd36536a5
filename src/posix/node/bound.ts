// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type net from 'node:net';
import type { SocketAddress } from '../address.js';

/** An address that a socket is bound to. */
export interface Bound {
  /** The address, with the port that the kernel chose if 0 was asked for. */
  readonly address: SocketAddress;
  /** Makes a server listen there, at once: 0 or a negative errno. */
  listen(server: net.Server, backlog: number): number;
  /**
   * Lets go of the address, and of what listen has made at it: a server that listens stays as it is, but a Unix socket's
   * file goes. May be called twice; without a server, a later listen binds again.
   */
  close(): void;
}
