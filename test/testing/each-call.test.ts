// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, SOCK_STREAM } from '../../src/posix/index.js';
import { failEachCall, TYPICAL_ERRORS } from '../../src/testing/index.js';
import { twoHosts } from './fixture.js';

t.test('each call fails in turn with each of its errors, until the scenario passes', async (t) => {
  const seen: string[] = [];
  const report = await failEachCall(async (fault) => {
    const { near } = twoHosts();
    near.failCalls(fault);
    const { posix } = near;
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    const listened = posix.listen(fd, 1);
    seen.push(`${fd} ${listened}`);
    return [];
  });
  const [sockets, listens] = [TYPICAL_ERRORS.socket, TYPICAL_ERRORS.listen];
  t.same(seen, [
    ...sockets.map((error) => `${-error} ${-9}`),
    ...listens.map((error) => `3 ${-error}`),
    '3 0',
  ]);
  t.equal(report.runs, sockets.length + listens.length + 1);
  t.same(
    report.calls,
    new Map([
      ['socket', 1],
      ['listen', 1],
    ]),
  );
  t.same(report.failedRuns, []);
});

t.test(
  'a fault is reported with the call that failed; without one, the scenario itself is wrong',
  async (t) => {
    const { failedRuns } = await failEachCall(async (fault) => {
      const { near } = twoHosts();
      near.failCalls(fault);
      return near.posix.eventfd() < 0 ? ['no counter'] : ['never content'];
    });
    t.same(failedRuns, [
      ...TYPICAL_ERRORS.eventfd.map((error) => ({
        nth: 1,
        call: 'eventfd',
        error,
        violations: ['no counter'],
      })),
      { nth: 2, call: undefined, error: 0, violations: ['never content'] },
    ]);
  },
);

t.test('a scenario that makes calls without end is an error', async (t) => {
  await t.rejects(
    failEachCall(
      async (fault) => {
        const { near } = twoHosts({ traceLines: 0 });
        near.failCalls(fault);
        while (fault.failed === 0) near.posix.close(3);
        return [];
      },
      { maxCalls: 50 },
    ),
    { message: /more than 50 calls/ },
  );
  const threeCalls = (maxCalls: number): Promise<unknown> =>
    failEachCall(
      async (fault) => {
        const { near } = twoHosts({ traceLines: 0 });
        near.failCalls(fault);
        for (let count = 0; count < 3; count++) near.posix.close(3);
        return [];
      },
      { maxCalls },
    );
  await t.resolves(threeCalls(3));
  await t.rejects(threeCalls(2), { message: /more than 2 calls/ });
});
