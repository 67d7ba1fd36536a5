// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix, SocketCalls } from '../posix/posix.js';
import { type TdReplicationConnect, tdReplicationConnectInit } from './block-replication.js';

/**
 * Looks the host of `host:port` up, then calls init: for names, whose lookup would stall the daemon in C.
 *
 * The struct is not touched before the lookup has ended.
 *
 * @returns what {@link tdReplicationConnectInit} returns: 0 or -ENOENT
 */
export async function tdReplicationConnectInitAsync(
  t: TdReplicationConnect<SocketCalls & Pick<Posix, 'resolve'>>,
  name: string,
): Promise<number> {
  const colon = name.indexOf(':');
  if (colon !== -1) await t.posix.resolve(name.slice(0, colon), name.slice(colon + 1));
  return tdReplicationConnectInit(t, name);
}
