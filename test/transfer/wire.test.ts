// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  GREETING,
  HEADER,
  MAX_VERDICT_BYTES,
  parseTrailer,
  parseVerdict,
  trailer,
  TRAILER_BYTES,
  verdictLine,
} from '../../src/transfer/wire.js';

const sha256 = 'ab'.repeat(32);

t.test('a trailer decodes to what it was made of, and has a fixed length', async (t) => {
  for (const bytes of [0, 1, 67_108_864, Number.MAX_SAFE_INTEGER]) {
    const made = trailer({ bytes, sha256 });
    t.equal(made.length, TRAILER_BYTES);
    t.same(parseTrailer(made), { bytes, sha256 });
  }
});

t.test('other bytes are not taken for a trailer', async (t) => {
  const good = trailer({ bytes: 5, sha256 }).toString();
  for (const text of [
    '',
    good.slice(1),
    good.slice(0, -1),
    `${good}x`,
    good.replace('end', 'END'),
    good.toUpperCase(),
  ]) {
    t.equal(parseTrailer(Buffer.from(text)), undefined, JSON.stringify(text));
  }
});

t.test('a verdict is one line of bounded length, whatever its message', async (t) => {
  const long = verdictLine({ kind: 'error', code: 'EIO', message: 'x\n\u001B[31mé'.repeat(1000) });
  t.equal(long.length, MAX_VERDICT_BYTES);
  t.equal(long.length, 512);
  t.equal(long.indexOf('\n'), long.length - 1);
  t.match(parseVerdict(long.toString().trimEnd()), { kind: 'error', code: 'EIO' });
});

t.test('a verdict decodes to what it was made of', async (t) => {
  const ok = { kind: 'ok', bytes: 12, sha256 } as const;
  const full = {
    kind: 'error',
    code: 'ENOSPC',
    message: 'cannot write copy: no space left on device',
  } as const;
  t.same(parseVerdict(verdictLine(ok).toString().trimEnd()), ok);
  t.same(parseVerdict(verdictLine(full).toString().trimEnd()), full);
});

t.test('other bytes are not taken for a verdict', async (t) => {
  for (const line of [
    '',
    'ok',
    'ok 5',
    `ok -5 ${sha256}`,
    `ok 5 ${sha256} `,
    'ok 5 abc',
    'error',
    'error enospc x',
    'OK',
  ]) {
    t.equal(parseVerdict(line), undefined, JSON.stringify(line));
  }
});

t.test('greeting and header differ from every verdict', async (t) => {
  for (const line of [GREETING, HEADER]) {
    t.equal(line.indexOf('\n'), line.length - 1);
    t.equal(parseVerdict(line.toString().trimEnd()), undefined);
  }
});
