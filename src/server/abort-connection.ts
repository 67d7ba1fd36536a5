// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor, Posix } from '../posix/posix.js';

/**
 * Closes a connection that is given up: it is gone at once, with what was still to be sent; then the peer sees a reset. After
 * {@link Posix.close} it would live on until the peer has taken that, beyond every bound on connections.
 */
export function abortConnection(posix: Posix, fd: Descriptor): number {
  if (posix.abort === undefined || posix.unsent?.(fd) === 0) return posix.close(fd);
  return posix.abort(fd);
}
