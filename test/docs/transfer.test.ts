// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  GREETING,
  GREETING_TIMEOUT_SECONDS,
  HEADER,
  MAX_VERDICT_BYTES,
  parseVerdict,
  QUIET_SECONDS,
  trailer,
  TRAILER_BYTES,
  verdictLine,
} from '../../src/transfer/wire.js';
import { document, tableRows } from './markdown.js';

const { text } = document('docs/transfer.md');
const digest = { bytes: 12_345, sha256: 'ab'.repeat(32) };

t.test('the page shows the messages as the programs send them', async (t) => {
  const rows = tableRows(text, '## The protocol');
  const cells = rows.map(([, bytes = '']) => bytes).join('\n');
  const shown = (message: Buffer): string => `\`${message.toString().replace('\n', '\\n')}\``;
  t.match(cells, shown(GREETING));
  t.match(cells, shown(HEADER));
  const [, end = ''] = /`(tapdisk-ts end .*?)\\n`/.exec(cells) ?? [];
  const sent = `${end.replace('BYTES', '12345'.padStart(20, '0')).replace('SHA256', digest.sha256)}\n`;
  t.equal(sent, trailer(digest).toString());
  t.match(cells, `${TRAILER_BYTES} bytes`);
  const [, ok = ''] = /`(ok .*?)\\n`/.exec(cells) ?? [];
  const verdict = `${ok.replace('BYTES', '12345').replace('SHA256', digest.sha256)}\n`;
  t.equal(verdict, verdictLine({ kind: 'ok', ...digest }).toString());
  const [, error = ''] = /`(error .*?)\\n`/.exec(cells) ?? [];
  t.same(parseVerdict(error.replace('CODE', 'ENOSPC').replace('WORDS', 'no space')), {
    kind: 'error',
    code: 'ENOSPC',
    message: 'no space',
  });
  t.match(cells, `at most ${MAX_VERDICT_BYTES} bytes`);
});

t.test('the page states the actual times', async (t) => {
  t.match(text, `after ${QUIET_SECONDS} s without a byte from the primary`);
  t.match(text, `${GREETING_TIMEOUT_SECONDS} s after the connection is established`);
});
