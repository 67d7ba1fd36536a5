// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The connect module on tapdisk3's scheduler: it was written for tapdisk2's, and counts seconds.

import t from 'tap';
import {
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectInit,
  tdReplicationConnectKill,
} from '../../src/replication/index.js';
import { simulate, SimulatedWorld } from '../../src/testing/index.js';

/** How often a client dials within so many virtual seconds, with nobody there. */
async function attempts(retryTimeoutS: number, seconds = 10): Promise<number> {
  const world = new SimulatedWorld({ traceLines: 10_000 });
  const near = world.host('10.0.0.1');
  world.host('10.0.0.2');
  const connect = tdReplicationConnect({
    server: near.serve({ dialect: 'tapdisk3' }),
    posix: near.posix,
    logger: near.logger,
    callback: () => {},
    logPrefix: 'test',
    retryTimeoutS,
    maxConnections: 1,
    fd: -1,
  });
  t.equal(tdReplicationConnectInit(connect, '10.0.0.2:9000'), 0);
  t.equal(tdReplicationClientStart(connect), 0);
  await world.run(seconds);
  tdReplicationConnectKill(connect);
  const dialled = world.trace.toString().match(/connect\(\d+, 10\.0\.0\.2:9000\)/g)?.length ?? 0;
  t.same(await world.shutDown(), []);
  return dialled;
}

t.test("on tapdisk3's scheduler a retry comes after its whole time", async (t) => {
  t.equal(await attempts(4), 3, 'at 0, after 4 and after 8 seconds');
});

t.test("on tapdisk3's scheduler a negative retry time is due at once", async (t) => {
  const dialled = await attempts(-4, 1);
  t.ok(dialled > 100, `${dialled} attempts in a second`);
});

t.test("primaries and backups connect on tapdisk3's scheduler through faults of all kinds", async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { violations, secondsToConnect } = await simulate(seed, { dialect: 'tapdisk3' });
    if (violations.length > 0) t.fail(`seed ${seed}: ${violations.join('\n')}`);
    t.ok(secondsToConnect !== undefined, `seed ${seed} connects`);
  }
});
