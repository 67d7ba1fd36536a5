// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';

/**
 * A client of 127.0.0.1 that has sent something, and reset its connection, before this process can accept it: meanwhile
 * nothing else runs here.
 */
export function goneClient(port: number, sends = 'x'): void {
  const program = `
    const socket = require('node:net').connect(${port}, '127.0.0.1', () =>
      socket.write(${JSON.stringify(sends)}, () => socket.resetAndDestroy()));`;
  execFileSync(process.execPath, ['-e', program]);
}
