// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { NodePosix } from '../posix/index.js';

/**
 * Makes the peer of a connection see a reset and not an end of file, which it might take for the end of the image.
 * What was written and not yet sent is dropped. The descriptor stays open, for its owner to close.
 */
export function resetConnection(posix: NodePosix, fd: number): void {
  const socket = posix.nodeObject(fd);
  if (socket !== undefined && 'resetAndDestroy' in socket && typeof socket.resetAndDestroy === 'function') {
    socket.resetAndDestroy();
  }
}
