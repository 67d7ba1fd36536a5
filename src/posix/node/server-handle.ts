// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { NodeAddress } from './node-address.js';

/** The parts of Node's internal TCP and Pipe handles that are used here. Each call returns 0 or a negative errno. */
export interface ServerHandle {
  getsockname?(out: NodeAddress): number;
  listen(backlog: number): number;
  close(): void;
}

/**
 * `net._createServerHandle(address, port, 4 | 6)`, or with a path and -1, -1: a handle, or a negative errno at once.
 * It is undocumented (and the same in Node 18 to 26). Documented ways to listen report their outcome later.
 */
export type CreateServerHandle = (
  address: string,
  port: number,
  addressType: number,
) => ServerHandle | number;
