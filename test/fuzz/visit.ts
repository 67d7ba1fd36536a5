// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect, type NetConnectOpts } from 'node:net';
import type { Random } from '../../src/testing/random.js';

/** Says these bytes in two pieces, and goes: in order, or, one time in ten, with what is said to it unread. */
export function visit(where: NetConnectOpts, bytes: Uint8Array, random: Random): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(where);
    socket.on('error', () => {}).on('close', () => resolve());
    const cut = random.integer(0, bytes.length);
    const breaksOff = random.chance(0.1);
    socket.write(bytes.subarray(0, cut), () => {
      if (breaksOff) socket.destroy();
      else socket.resume().end(bytes.subarray(cut));
    });
  });
}
