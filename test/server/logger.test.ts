// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  LOG_DEBUG,
  LOG_EMERG,
  LOG_ERR,
  LOG_INFO,
  LOG_NOTICE,
  LOG_WARNING,
  nullLogger,
  priorityName,
  stderrLogger,
} from '../../src/server/index.js';
import { LOG_CRIT } from '../../src/server/logger.js';

t.test('lines of sufficient priority are written with its name', async (t) => {
  const written: string[] = [];
  const logger = stderrLogger(LOG_ERR, (line) => void written.push(line));
  logger.log(LOG_ERR, 'with a newline\n');
  logger.log(LOG_INFO, 'left out');
  logger.log(LOG_EMERG, 'without');
  t.same(written, ['err: with a newline\n', 'emerg: without\n']);
});

t.test('standard error gets LOG_INFO and more severe, unless set otherwise', async (t) => {
  const lines = t.capture(process.stderr, 'write', () => true);
  stderrLogger().log(LOG_INFO, 'shown');
  stderrLogger().log(LOG_DEBUG, 'left out');
  t.same(
    lines().map(({ args }) => args[0]),
    ['info: shown\n'],
  );
});

t.test('priorities are those of syslog(3)', async (t) => {
  const names = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
  t.same(([0, 1, 2, 3, 4, 5, 6, 7] as const).map(priorityName), names);
  t.same([LOG_EMERG, LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG], [0, 2, 3, 4, 5, 6, 7]);
});

t.test('the null logger discards everything', async (t) => {
  const lines = t.capture(process.stderr, 'write', () => true);
  nullLogger.log(LOG_EMERG, 'gone');
  t.same(lines(), []);
  t.equal(priorityName(LOG_DEBUG), 'debug');
});
