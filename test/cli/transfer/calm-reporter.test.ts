// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CalmReporter } from '../../../src/cli/transfer/calm-reporter.js';
import { JsonReporter } from '../../../src/cli/transfer/json-reporter.js';
import { TextReporter } from '../../../src/cli/transfer/text-reporter.js';
import { LOG_DEBUG, LOG_ERR, LOG_WARNING } from '../../../src/server/logger.js';
import { status } from './example-status.js';

function calm({ isTTY = false, json = false, verbose = false } = {}) {
  const lines: string[] = [];
  let seconds = 0;
  const options = {
    stream: { isTTY, write: (text: string) => lines.push(text.trimEnd().replace('tapdisk-ts: ', '')) },
    clock: { now: () => seconds },
    verbose,
    role: 'backup',
    status: () => (isTTY ? status : undefined),
  } as const;
  const reporter = new CalmReporter(json ? new JsonReporter(options) : new TextReporter(options), options);
  const pass = (by: number, then = (): void => reporter.tick()): void => {
    seconds += by;
    then();
  };
  return { reporter, lines, pass };
}

t.test('repeated errors of one cause are logged once a second, with the number omitted', async (t) => {
  const { reporter, lines, pass } = calm();
  for (let i = 0; i < 1000; i += 1) reporter.onEvent({ event: 'nothing', peer: `10.0.0.1:${i}` });
  t.same(lines, ['10.0.0.1:0 sent nothing']);
  pass(0.9);
  t.equal(lines.length, 1);
  pass(0.1);
  t.same(lines.slice(1), ['10.0.0.1:999 sent nothing (and 998 more of the kind just before)']);
  pass(5);
  t.equal(lines.length, 2);
});

t.test(
  'another cause is reported at once, and the end of a transfer always, after what came before',
  async (t) => {
    const { reporter, lines } = calm();
    const broken = { event: 'broken', bytes: 0, message: 'm' } as const;
    for (const code of ['EPROTO', 'EPROTO', 'ENOSPC']) reporter.onEvent({ ...broken, code });
    t.equal(lines.length, 2);
    reporter.onEvent({ event: 'stopped', signal: 'SIGTERM' });
    t.equal(lines.length, 4);
    t.equal(lines[3], 'stopped by SIGTERM');
  },
);

t.test('log errors that differ only in numbers count as one cause', async (t) => {
  const { reporter, lines } = calm();
  for (let i = 0; i < 100; i += 1) reporter.log(LOG_ERR, `cannot accept a connection: ${i}`);
  t.equal(lines.length, 1);
});

t.test('the number of remembered causes is bounded', async (t) => {
  const { reporter, lines } = calm();
  for (let i = 0; i < 1000; i += 1)
    reporter.onEvent({ event: 'broken', bytes: 0, message: 'm', code: `E${i}` });
  t.ok(lines.length < 100, `${lines.length} lines`);
});

t.test(
  'the last of what was held back is reported at the end, and a line of progress is cleared',
  async (t) => {
    const { reporter, lines } = calm();
    for (const peer of ['a', 'b']) reporter.onEvent({ event: 'nothing', peer });
    reporter.end();
    t.same(lines, ['a sent nothing', 'b sent nothing']);
    const terminal = calm({ isTTY: true });
    terminal.reporter.onEvent({ event: 'stopped', signal: 'SIGTERM' });
    terminal.lines.length = 0;
    terminal.reporter.end();
    t.same(terminal.lines, ['\r\u001B[2K']);
  },
);

t.test('progress and dumps are passed on, however often', async (t) => {
  const { reporter, lines, pass } = calm({ isTTY: true });
  pass(1);
  t.match(lines.splice(0), [/connecting/], 'a tick');
  reporter.end();
  lines.length = 0;
  pass(1, () => reporter.onProgress());
  t.match(lines.splice(0), [/connecting/], 'bytes that have moved');
  reporter.onEvent({ event: 'stopped', signal: 'SIGTERM' });
  lines.length = 0;
  reporter.dump('one');
  reporter.dump('two');
  t.same(
    lines.filter((line) => /one|two/.test(line)),
    ['one', 'two'],
  );
});

t.test('only warnings and errors count as caused by peers', async (t) => {
  const { reporter, lines } = calm({ verbose: true });
  for (let i = 0; i < 3; i += 1) reporter.log(LOG_DEBUG, 'a step');
  t.equal(lines.length, 3);
  for (let i = 0; i < 3; i += 1) reporter.log(LOG_WARNING, 'a loss');
  t.equal(lines.length, 4);
});

t.test('how many were left out is a member of the report, where there are any', async (t) => {
  const { reporter, lines } = calm({ json: true });
  for (const peer of ['a', 'b', 'c']) reporter.onEvent({ event: 'nothing', peer });
  reporter.end();
  t.same(
    lines.map((line) => JSON.parse(line) as unknown),
    [
      { event: 'nothing', peer: 'a' },
      { event: 'nothing', peer: 'c', leftOut: 1 },
    ],
  );
});
