// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Test } from 'tap';
import { metricsEndpoint } from '../../src/metrics/metrics-endpoint.js';
import type { HttpResources } from '../../src/metrics/http.js';
import { AF_INET, type Clock, monotonicClock, NodePosix } from '../../src/posix/index.js';
import { nullLogger } from '../../src/server/logger.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { exampleReport } from './example-report.js';

interface EndpointOptions {
  readonly hosts?: readonly string[];
  readonly clock?: Clock;
  readonly token?: string;
  /** What is served beside the metrics. */
  readonly page?: (parts: { registrar: TapdiskServer; posix: NodePosix }) => HttpResources;
}

/** The port of an endpoint that runs until the test has ended. */
export function endpoint(
  t: Test,
  { clock = monotonicClock, page, ...options }: EndpointOptions = {},
): number {
  const posix = new NodePosix({ clock });
  const server = new TapdiskServer({ posix, logger: nullLogger });
  const address = { family: AF_INET, address: '127.0.0.1', port: 0 } as const;
  const resources = page?.({ registrar: server, posix });
  const parts = { registrar: server, posix, logger: nullLogger, report: () => exampleReport, ...options };
  const listener = metricsEndpoint(address, { ...parts, ...(resources && { page: resources }) });
  const running = server.run({ signals: false });
  t.teardown(async () => {
    listener[Symbol.dispose]();
    server.stop();
    await running;
    assert.deepEqual(posix.openDescriptors(), []);
  });
  assert(listener.address.family === AF_INET);
  return listener.address.port;
}

/** What comes back for these bytes, until the end of the connection. */
export async function answerTo(port: number, ...pieces: string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
