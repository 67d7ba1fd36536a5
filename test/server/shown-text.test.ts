// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { lineLogger } from '../../src/cli/line-logger.js';
import { TextReporter } from '../../src/cli/transfer/text-reporter.js';
import { listLine, tableOfDisks } from '../../src/cli/ctl/list-text.js';
import { quoted } from '../../src/cli/usage-error.js';
import { reportJunit } from '../../src/conformance/report-junit.js';
import { reportTap } from '../../src/conformance/report-tap.js';
import { reportText } from '../../src/conformance/report-text.js';
import type { Report, Write } from '../../src/conformance/report.js';
import { parseVectorFile } from '../../src/conformance/vector-file.js';
import type { VectorResult } from '../../src/conformance/vector-result.js';
import { LOG_ERR, stderrLogger } from '../../src/server/logger.js';
import { shownMessage, shownText } from '../../src/server/shown-text.js';

/** An attack on a terminal and on whatever reads lines. */
const HOSTILE =
  'a\nok 7 - forged\r\u001b[2J\u0085\u009b31m\u2028\u2029\u202eb\u2066\u061c\u200f\ud800\ufeff\0c';
const SHOWN =
  'a\\nok 7 - forged\\r\\u001b[2J\\u0085\\u009b31m\\u2028\\u2029\\u202eb\\u2066\\u061c\\u200f\\ud800\\ufeff\\u0000c';
const UNSAFE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\uFEFF]/u;

t.test(
  'what would mean something to a terminal or a reader of lines is escaped, and nothing else',
  async (t) => {
    t.equal(shownText(HOSTILE), SHOWN);
    const harmless = 'aio:/disks/Größe – 日本語 👩‍👩‍👧 \\n "quoted"';
    t.equal(shownText(harmless), harmless);
    t.strictSame(JSON.parse(shownText(JSON.stringify(HOSTILE))), HOSTILE, 'JSON stays the same value');
    t.equal(
      shownMessage('Error: a\n    at b (c)\nd'),
      'Error: a\n    at b (c)\\nd',
      'a stack keeps its lines',
    );
  },
);

t.test('a log line, of text or JSON, is one line whatever its message', async (t) => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  stderrLogger(LOG_ERR, write).log(LOG_ERR, HOSTILE);
  for (const format of ['text', 'json'] as const) {
    lineLogger({ level: LOG_ERR, format, times: false, write }).log(LOG_ERR, HOSTILE);
  }
  const [plain, text, json = ''] = lines;
  t.equal(plain, `err: ${SHOWN}\n`);
  t.equal(text, `err: ${SHOWN}\n`);
  t.equal((JSON.parse(json) as { message: string }).message, HOSTILE.trimEnd());
  t.ok(lines.every((line) => !UNSAFE.test(line.trimEnd())));
});

t.test('text from a peer is shown in one line', async (t) => {
  let written = '';
  const reporter = new TextReporter({
    role: 'backup',
    stream: { write: (text: string) => (written += text) },
    clock: { now: () => 0 },
    status: () => undefined,
  } as unknown as ConstructorParameters<typeof TextReporter>[0]);
  reporter.onEvent({ event: 'failed', message: HOSTILE } as Parameters<TextReporter['onEvent']>[0]);
  t.equal(written, `tapdisk-ts: failed: ${SHOWN}\n`);
});

t.test('names of images are shown in lists, tables and errors', async (t) => {
  const entry = { pid: 7, vbd: { minor: 0, state: 0, path: `aio:${HOSTILE}` } };
  t.equal(listLine(entry as Parameters<typeof listLine>[0]), `pid=7 minor=0 state=0 args=aio:${SHOWN}`);
  const table = tableOfDisks([entry] as Parameters<typeof tableOfDisks>[0], 1000);
  t.equal(table.trimEnd().split('\n').length, 2);
  t.match(table, SHOWN);
  t.notOk(UNSAFE.test(quoted(HOSTILE)));
});

t.test('a vector’s name does not forge a result, in any format', async (t) => {
  const failure: VectorResult = {
    file: HOSTILE,
    name: `scheduler/${HOSTILE}`,
    about: HOSTILE,
    outcome: 'failed',
    reason: HOSTILE.replace('\n', ' '),
    milliseconds: 0,
  };
  const results: VectorResult[] = [failure, { ...failure, outcome: 'skipped' }];
  for (const [name, create] of Object.entries({ reportTap, reportJunit, reportText }) as [
    string,
    (write: Write) => Report,
  ][]) {
    let text = '';
    const report = create((piece) => (text += piece));
    for (const result of results) report.result(result);
    report.end(results);
    t.notOk(
      text.split('\n').some((line) => UNSAFE.test(line)),
      name,
    );
    t.notMatch(text, /^ok 7/m, name);
  }
});

t.test('a byte order mark before JSON is skipped', async (t) => {
  t.strictSame(parseVectorFile('f', '\uFEFF[]'), []);
  t.match(parseVectorFile('f', '\uFEFFnonsense'), [{ kind: 'fault' }]);
});
