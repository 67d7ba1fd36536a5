// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Writable } from 'node:stream';
import type { NodePosix } from '../posix/index.js';

/**
 * Makes the peer of a connection see a reset and not an end of file, which it might take for the end of the image.
 * What was written and not yet sent is dropped. A connection whose end has been sent is left as it is. The descriptor stays
 * open, for its owner to close.
 */
export function resetConnection(posix: NodePosix, fd: number): void {
  const socket = posix.nodeObject(fd);
  // After a shutdown Node fails to reset, and would leave the connection open for good.
  if (socket instanceof Writable && socket.writableEnded && socket.writableLength === 0) return;
  if (socket !== undefined && 'resetAndDestroy' in socket && typeof socket.resetAndDestroy === 'function') {
    socket.resetAndDestroy();
  }
}
