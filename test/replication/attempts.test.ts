// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import { ATTEMPT_SECONDS } from '../../src/replication/attempt-seconds.js';
import { connectReplica } from '../../src/replication/connect-replica.js';
import { TapdiskServer } from '../../src/server/index.js';
import { turns } from '../posix/fixture.js';
import { SILENT, silence } from '../posix/silent-address.js';

const LOOPBACK = '127.0.0.1';

async function plainServer(t: Test): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A server on a clock of the test's, with a name that has the addresses. */
async function timedServer(t: Test, addresses: readonly string[]) {
  let seconds = 0;
  const clock = { now: (): number => seconds };
  const lines: string[] = [];
  const lookup = async () => addresses.map((address) => ({ address }));
  const posix = new NodePosix({ clock, lookup });
  const server = new TapdiskServer({
    posix,
    clock,
    logger: { log: (_, line) => void lines.push(line) },
  });
  const run = server.run({ signals: false });
  t.teardown(async () => {
    server.stop();
    await run;
  });
  /** Lets the time for an attempt go by, or so many seconds. */
  const pass = async (more = ATTEMPT_SECONDS + 1): Promise<void> => {
    await turns(20);
    seconds += more;
    server.setMaxTimeout(0);
    await turns(20);
  };
  return { server, lines, pass };
}

t.test('an address that never replies delays the next one by no more than the limit', async (t) => {
  const port = await plainServer(t);
  await silence(t, port);
  const { server, pass } = await timedServer(t, [SILENT, LOOPBACK]);
  const connecting = connectReplica({ host: 'backup', port, server });
  await pass();
  const socket = await connecting;
  t.equal(socket.remoteAddress, LOOPBACK);
  socket.destroy();
});

t.test('the limit is the one that is given, and an attempt gets all of it', async (t) => {
  const port = await plainServer(t);
  await silence(t, port);
  const { server, pass } = await timedServer(t, [SILENT, LOOPBACK]);
  const state = { isConnected: false };
  const connecting = connectReplica({ host: 'backup', port, server, attemptSeconds: 3 });
  void connecting.then(() => (state.isConnected = true));
  await pass(3.5);
  t.notOk(state.isConnected);
  await pass(0.5);
  const socket = await connecting;
  t.equal(socket.remoteAddress, LOOPBACK);
  socket.destroy();
});

t.test('the last address is awaited without a limit, and the attempt’s age reported', async (t) => {
  const port = await plainServer(t);
  await silence(t, port);
  const { server, lines, pass } = await timedServer(t, [SILENT]);
  const { signal, abort } = abortable();
  const connecting = connectReplica({ host: 'backup', port, server, signal });
  connecting.catch(() => {});
  await pass();
  t.match(lines, [`connect ${SILENT}:${port}: no reply for ${ATTEMPT_SECONDS + 1} s`]);
  await pass(10);
  t.equal(lines.length, 1, 'no more often than every ten seconds');
  await pass(1);
  t.match(lines.slice(1), [`connect ${SILENT}:${port}: no reply for ${ATTEMPT_SECONDS + 12} s`]);
  abort();
  await t.rejects(connecting, { name: 'AbortError' });
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
