// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor, Posix } from '../posix/posix.js';

/**
 * Closes a connection that is given up: it is gone at once, with what was still to be sent. After {@link Posix.close} it
 * would live on until the peer has taken that, beyond every bound on connections.
 */
export function abortConnection(posix: Posix, fd: Descriptor): number {
  return posix.abort === undefined ? posix.close(fd) : posix.abort(fd);
}
