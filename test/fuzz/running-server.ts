// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';

/** A server that runs until the test has ended. */
export function runningServer(t: Test): TapdiskServer {
  const server = new TapdiskServer({ logger: nullLogger });
  const running = server.run({ signals: false });
  t.teardown(async () => {
    server.stop();
    await running;
  });
  return server;
}
