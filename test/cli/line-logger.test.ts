// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, fstatSync, openSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { lineLogger, type LineLoggerOptions, needsTimes } from '../../src/cli/line-logger.js';
import { LOG_DEBUG, LOG_ERR, LOG_INFO } from '../../src/server/logger.js';

function logged(options: Partial<LineLoggerOptions>): string {
  let text = '';
  const clock = { now: () => 1_700_000_000.25, nowMicroseconds: () => 0 };
  const write = (line: string): unknown => (text += line);
  const logger = lineLogger({ level: LOG_INFO, format: 'text', times: true, write, clock, ...options });
  logger.log(LOG_ERR, 'cannot "start"\n');
  logger.log(LOG_DEBUG, 'detail');
  return text;
}

t.test('a text line has the time (unless something else adds it), the level and the message', async (t) => {
  t.equal(logged({}), '2023-11-14T22:13:20.250Z err: cannot "start"\n');
  t.equal(logged({ times: false }), 'err: cannot "start"\n');
  t.match(logged({ level: LOG_DEBUG }), /err: .*\n.* debug: detail\n$/);
});

t.test('a JSON line always has the time', async (t) => {
  const expected = { time: '2023-11-14T22:13:20.250Z', level: 'err', message: 'cannot "start"' };
  t.same(JSON.parse(logged({ format: 'json' })), expected);
  t.same(JSON.parse(logged({ format: 'json', times: false })), expected);
});

t.test('lines to the journal, recognised by its socket’s inode, have no time', async (t) => {
  const fd = openSync('/dev/null', 'w');
  t.teardown(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const needed = (stderrFd: number | undefined, JOURNAL_STREAM?: string): boolean =>
    needsTimes({ ...streams, ...(stderrFd !== undefined && { stderrFd }), environment: { JOURNAL_STREAM } });
  t.equal(needed(fd, `${dev}:${ino}`), false);
  t.equal(needed(fd, `${dev}:${ino + 1n}`), true);
  t.equal(needed(fd), true);
  t.equal(needed(undefined), false, 'standard error is not that of the process');
});
