// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { CalmLogger } from '../../src/server/calm-logger.js';
import { LOG_ERR, LOG_INFO, LOG_WARNING, type Logger } from '../../src/server/logger.js';
import { bench } from '../disks/bench.js';

function world(t: Test) {
  const { server, clock, pass } = bench(t);
  const timers = () =>
    [...server.scheduler.events()]
      .filter(({ callbackName }) => callbackName === 'repeated log lines')
      .map(({ timeoutSeconds }) => timeoutSeconds);
  const lines: string[] = [];
  const logger: Logger = { log: (priority, line) => void lines.push(`${priority} ${line}`) };
  const calm = new CalmLogger({ registrar: server, clock, logger });
  return { calm, clock, lines, pass, timers };
}

t.test(
  'of lines that differ in their numbers one a second is logged, with how many were left out',
  async (t) => {
    const { calm, lines, pass, timers } = world(t);
    for (let port = 1; port <= 1000; port++) calm.log(LOG_ERR, `error accepting 10.0.0.1:${port}: 103\n`);
    calm.log(LOG_WARNING, 'another');
    t.same(lines.splice(0), ['3 error accepting 10.0.0.1:1: 103', '4 another']);
    await pass(2);
    t.same(lines.splice(0), ['3 error accepting 10.0.0.1:1000: 103 (and 998 more of the kind just before)']);
    t.same(timers(), []);
    await pass(2);
    calm.log(LOG_INFO, 'error accepting 10.0.0.1:7: 9');
    t.same(lines, ['6 error accepting 10.0.0.1:7: 9'], 'after a while it is news again');
  },
);

t.test(
  'a line that is held back comes a second after the one before it, though a timer may be early',
  async (t) => {
    const { calm, clock, lines, pass, timers } = world(t);
    clock.seconds += 0.5;
    calm.log(LOG_ERR, 'fault 1');
    t.same(timers(), []);
    calm.log(LOG_ERR, 'fault 2');
    t.same(timers(), [1]);
    await pass(0.6);
    t.same(lines, ['3 fault 1']);
    t.same(timers(), [1], 'set once more');
    await pass(0.9);
    t.same(lines, ['3 fault 1', '3 fault 2']);
    t.same(timers(), []);
  },
);

t.test('another address is not another cause, in either family', async (t) => {
  const { calm, lines, pass } = world(t);
  for (const host of ['fe80::1', 'fe80::ab:c', '::ffff:a00:1', '2001:db8::beef', 'fe80::1%eth0'])
    calm.log(LOG_WARNING, `rejected [${host}]:40000: its address is not allowed`);
  t.same(lines.splice(0), ['4 rejected [fe80::1]:40000: its address is not allowed']);
  await pass(2);
  t.same(lines, [
    '4 rejected [fe80::1%eth0]:40000: its address is not allowed (and 3 more of the kind just before)',
  ]);
});

t.test('what is held back is logged at its end, and later lines at once', async (t) => {
  const { calm, lines, timers } = world(t);
  for (const count of [1, 2, 3]) calm.log(LOG_ERR, `fault ${count}`);
  calm[Symbol.dispose]();
  t.same(timers(), []);
  calm.log(LOG_ERR, 'fault 4');
  calm.log(LOG_ERR, 'fault 5');
  t.same(lines, ['3 fault 1', '3 fault 3 (and 1 more of the kind just before)', '3 fault 4', '3 fault 5']);
  t.same(timers(), [], 'nothing waits for a later time');
});
