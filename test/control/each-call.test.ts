// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, errno, type Posix, SOCK_STREAM } from '../../src/posix/index.js';
import type { ExchangeProtocol } from '../../src/server/exchange.js';
import { ExchangeListener } from '../../src/server/exchange-listener.js';
import { SimulatedWorld } from '../../src/testing/index.js';
import { failEachInTurn, failingPosix, failingRegistrar, type Fault } from '../failing-calls.js';

const USES = 2;
const ADDRESS = { family: AF_INET, address: '10.0.0.2', port: 80 } as const;
/** More than a receive buffer takes at once, so that it is sent in parts. */
const ANSWER_BYTES = 100_000;
const PATIENCE_SECONDS = 10;

/** Four bytes are answered, a little later, with many. */
function protocolOf(world: SimulatedWorld): ExchangeProtocol {
  return {
    maxRequestBytes: 16,
    requestLength: (received) => (received.length < 4 ? 0 : 4),
    answer: (request, reply) => {
      const first = request[0];
      world.after(0.1, () => {
        reply.send(new Uint8Array(ANSWER_BYTES).fill(first ?? 0));
        reply.end();
      });
    },
  };
}

/** Asks once; how many bytes came before the end, or what kept it from ending in good order. */
async function ask(posix: Posix): Promise<number | string> {
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  try {
    posix.connect(fd, ADDRESS);
    await posix.select({ write: [fd] }, PATIENCE_SECONDS);
    posix.write(fd, Uint8Array.of(7, 7, 7, 7));
    const buffer = new Uint8Array(65_536);
    for (let received = 0; ;) {
      const ready = await posix.select({ read: [fd] }, PATIENCE_SECONDS);
      if (typeof ready === 'number' || ready.read.length === 0) return 'no answer in time';
      const count = posix.read(fd, buffer);
      if (count === 0) return received;
      if (count < 0 && count !== -errno.EAGAIN) return `read answers ${count}`;
      if (!buffer.subarray(0, Math.max(count, 0)).every((byte) => byte === 7)) return 'another answer';
      received += Math.max(count, 0);
    }
  } finally {
    posix.close(fd);
  }
}

async function life(fault: Fault): Promise<string[]> {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.2');
  const client = world.host('10.0.0.1');
  const wrong: string[] = [];
  try {
    const listener = new ExchangeListener(ADDRESS, {
      registrar: failingRegistrar(host.serve(), fault),
      posix: failingPosix(host.posix, fault),
      logger: host.logger,
      protocol: protocolOf(world),
      name: 'exchange',
      maxConnections: 4,
      slowClientSeconds: 2,
    });
    for (let count = 1; count <= USES; count++) {
      const failedBefore = fault.failed;
      const got = await world.complete(ask(client.posix));
      if (got !== ANSWER_BYTES && fault.failed === failedBefore) wrong.push(`use ${count}: ${got}`);
    }
    listener[Symbol.dispose]();
  } catch (error) {
    if (fault.failed === 0) wrong.push(String(error));
  }
  wrong.push(...(await world.shutDown()));
  return wrong;
}

t.test('whichever call fails, the next client is answered and nothing is left', async (t) => {
  const { failedRuns, calls } = await failEachInTurn(life);
  t.same(failedRuns, []);
  const expected = ['socket', 'bind', 'listen', 'accept', 'read', 'write', 'close', 'registerEvent'] as const;
  for (const call of expected) {
    t.ok(calls.has(call), `${call} has failed`);
  }
  t.comment([...calls.keys()].join(', '));
});
