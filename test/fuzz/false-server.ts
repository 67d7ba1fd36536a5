// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions } from 'node:net';
import type { Test } from 'tap';

/** Who is asked next, says the next of these, and ends. */
export interface FalseServer {
  readonly port: number;
  readonly says: (bytes: Uint8Array) => void;
}

/** A server that says to each connection what it was told to, whatever it is asked. */
export async function falseServer(t: Test, at: ListenOptions): Promise<FalseServer> {
  const answers: Uint8Array[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {}).resume();
    socket.end(answers.shift() ?? new Uint8Array(0));
  }).listen(at);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address() as AddressInfo | string;
  return {
    port: typeof address === 'string' ? 0 : address.port,
    says: (bytes) => void answers.push(bytes),
  };
}
