// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  type ConnectModule,
  connectModule,
  FAULT_SECONDS,
  simulate,
  type SimulationResult,
} from '../../../src/testing/index.js';

t.test('a seed run twice gives the same trace, byte for byte', async (t) => {
  const digests = new Set<string>();
  for (let seed = 1; seed <= 10; seed++) {
    const [one, other] = [
      await simulate(seed, { traceLines: 100_000 }),
      await simulate(seed, { traceLines: 100_000 }),
    ];
    if (one.trace.toString() !== other.trace.toString()) t.fail(`seed ${seed}: the traces differ`);
    const untraced = await simulate(seed);
    t.equal(untraced.secondsToConnect, one.secondsToConnect, 'and tracing changes nothing');
    t.ok(one.attempts >= 2, 'each side of a disk has started');
    const connectedAt = FAULT_SECONDS + (one.secondsToConnect as number);
    const lastWrite = Number(one.trace.lines.findLast((line) => line.includes(' write('))?.slice(0, 11));
    t.ok(
      lastWrite > connectedAt + 4 && lastWrite < connectedAt + 5.1,
      `they stay connected for 5 s: from ${connectedAt} s, written to last at ${lastWrite} s`,
    );
    digests.add(one.trace.digest());
  }
  t.equal(digests.size, 10, 'other seeds give other traces');
});

/** The first seed in which a broken module is found out, and how. */
async function found(broken: Partial<ConnectModule>): Promise<SimulationResult | undefined> {
  for (let seed = 1; seed <= 60; seed++) {
    const result = await simulate(seed, { module: { ...connectModule, ...broken } });
    if (result.violations.length > 0) return result;
  }
  return undefined;
}

t.test('broken connect modules are detected', async (t) => {
  const broken: Record<string, Partial<ConnectModule>> = {
    'kill leaves the connection': {
      kill(connect) {
        connect.fd = -1;
        connectModule.kill(connect);
      },
    },
    'kill leaves the listener': {
      kill(connect) {
        connect.listenFd = -1;
        connectModule.kill(connect);
      },
    },
    'kill leaves the event': {
      kill(connect) {
        connect.id = -1;
        connectModule.kill(connect);
      },
    },
    'a restart leaves the old connection': {
      serverRestart(connect) {
        connect.fd = -1;
        return connectModule.serverRestart(connect);
      },
    },
    'a restart does not wait for anybody': {
      serverRestart(connect) {
        const rc = connectModule.serverRestart(connect);
        connect.server.unregisterEvent(connect.id);
        return rc;
      },
    },
    'the client never retries': {
      clientStart(connect) {
        connect.retryTimeoutS = 1_000_000;
        return connectModule.clientStart(connect);
      },
    },
    'the server takes itself for a client': { serverStart: () => -2 },
    'the callback comes twice': {
      init(connect, name) {
        const { callback } = connect;
        connect.callback = (same, rc) => {
          callback(same, rc);
          if (rc !== 0) callback(same, rc);
        };
        return connectModule.init(connect, name);
      },
    },
  };
  for (const [title, module] of Object.entries(broken)) {
    const result = await found(module);
    t.ok(result, title);
    t.comment(`seed ${result?.seed}: ${result?.violations[0]}`);
    if (result === undefined) continue;
    const again = await simulate(result.seed, { module: { ...connectModule, ...module } });
    t.same(again.violations, result.violations, 'and the seed replays it');
  }
});

t.test('each fault is reported once: of disks that do not connect nothing else is asked', async (t) => {
  const result = await found({
    clientStart(connect) {
      connect.retryTimeoutS = 1_000_000;
      return connectModule.clientStart(connect);
    },
  });
  t.equal(result?.violations.length, 1);
  t.match(result?.violations[0], /not connected 40 s after the faults were healed$/);
  t.equal(result?.secondsToConnect, undefined);
});

t.test('of disks that do not connect it is not asked what they leave', async (t) => {
  const { violations } = (await found({
    clientStart(connect) {
      connect.retryTimeoutS = 1_000_000;
      return connectModule.clientStart(connect);
    },
    kill(connect) {
      connect.listenFd = -1;
      connectModule.kill(connect);
    },
  })) as SimulationResult;
  t.match(violations, [/not connected 40 s after/]);
  t.equal(violations.length, 1);
});

t.test('a module that throws fails its seed, with the error', async (t) => {
  const result = await found({
    serverRestart() {
      throw new Error('no restart today');
    },
  });
  t.match(result?.violations[0], /no restart today/);
});
