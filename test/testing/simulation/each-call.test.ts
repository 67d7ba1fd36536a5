// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type CallName, connectModule, failEachCall } from '../../../src/testing/index.js';
import { type LifeOf, live } from '../../../src/testing/simulation/life.js';

/** What each life consists of, at least. */
const CALLS: Record<LifeOf, readonly CallName[]> = {
  server: [
    'resolve',
    'getaddrinfo',
    'socket',
    'setsockopt',
    'bind',
    'listen',
    'accept',
    'read',
    'write',
    'close',
    'select',
  ],
  client: [
    'resolve',
    'getaddrinfo',
    'socket',
    'fcntl',
    'connect',
    'getsockopt',
    'read',
    'write',
    'close',
    'select',
  ],
  both: [
    'socket',
    'setsockopt',
    'fcntl',
    'bind',
    'listen',
    'accept',
    'connect',
    'getsockopt',
    'read',
    'write',
    'close',
    'select',
  ],
};

for (const lifeOf of ['server', 'client', 'both'] as const) {
  t.test(`the life of ${lifeOf}: whichever system call fails, and how, the invariants hold`, async (t) => {
    const report = await failEachCall((fault) => live(lifeOf, fault));
    t.same(report.failedRuns, []);
    for (const call of CALLS[lifeOf])
      t.ok(report.calls.has(call), `${call} has failed, each time that it was called`);
    t.ok(report.runs > 100);
    t.comment(
      `${report.runs} runs: ${[...report.calls].map(([call, count]) => `${call} ${count}`).join(', ')}`,
    );
  });
}

t.test(
  'what a broken module leaves open when a call fails is found, with the call that failed',
  async (t) => {
    const leaky = {
      ...connectModule,
      serverStart(connect: Parameters<typeof connectModule.serverStart>[0]): number {
        const rc = connectModule.serverStart(connect);
        if (rc === -1) connect.posix.socket(2, 1);
        return rc;
      },
    };
    const { failedRuns } = await failEachCall((fault) => live('server', fault, { module: leaky }));
    const calls = new Set(failedRuns.map(({ call }) => call));
    t.same(calls, new Set(['socket', 'bind', 'listen']), 'those that make a start fail');
    for (const { nth, error, violations } of failedRuns) {
      t.ok(nth > 1 && error > 0);
      t.match(violations[0], /descriptors 3 are left after a start that was refused|3 are left/);
    }
  },
);
