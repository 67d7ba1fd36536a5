// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that Linux gives to those who ask for any, so that nobody gets one of them by chance. */
const [FIRST_PORT, LAST_PORT] = [20_000, 32_767];
const MAX_TRIES = 100;

/** A port of 127.0.0.1 that nobody listens on, for somebody who is going to: it is likely to stay free. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const probe = createServer();
    try {
      await once(probe.listen(port, '127.0.0.1'), 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    await once(probe.close(), 'close');
    return port;
  }
  throw new Error(`${MAX_TRIES} ports of 127.0.0.1 from ${FIRST_PORT} to ${LAST_PORT} were all in use`);
}
