// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, fstatSync, openSync } from 'node:fs';
import t from 'tap';
import { isJournal, lineLogger, type LineLoggerOptions } from '../../../src/cli/daemon/line-logger.js';
import { LOG_DEBUG, LOG_ERR, LOG_INFO } from '../../../src/server/logger.js';

function logged(options: Partial<LineLoggerOptions>): string {
  let text = '';
  const clock = { now: () => 1_700_000_000.25, nowMicroseconds: () => 0 };
  const write = (line: string): unknown => (text += line);
  const logger = lineLogger({ level: LOG_INFO, format: 'text', times: true, write, clock, ...options });
  logger.log(LOG_ERR, 'cannot "start"\n');
  logger.log(LOG_DEBUG, 'detail');
  return text;
}

t.test('a line of text has the time, unless something else adds it, the level and the message', async (t) => {
  t.equal(logged({}), '2023-11-14T22:13:20.250Z err: cannot "start"\n');
  t.equal(logged({ times: false }), 'err: cannot "start"\n');
  t.match(logged({ level: LOG_DEBUG }), /err: .*\n.* debug: detail\n$/);
});

t.test('a line of JSON has the time in any case', async (t) => {
  const expected = { time: '2023-11-14T22:13:20.250Z', level: 'err', message: 'cannot "start"' };
  t.same(JSON.parse(logged({ format: 'json' })), expected);
  t.same(JSON.parse(logged({ format: 'json', times: false })), expected);
});

t.test('the journal is known by the device and inode of its socket', async (t) => {
  const fd = openSync('/dev/null', 'w');
  t.teardown(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd, { bigint: true });
  t.equal(isJournal(fd, `${dev}:${ino}`), true);
  t.equal(isJournal(fd, `${dev}:${ino + 1n}`), false);
  t.equal(isJournal(fd, undefined), false);
  t.equal(isJournal(undefined, `${dev}:${ino}`), false, 'it is no descriptor of the process');
});
