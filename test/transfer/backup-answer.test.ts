// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BackupAnswer } from '../../src/transfer/backup-answer.js';
import { GREETING, MAX_VERDICT_BYTES, verdictLine } from '../../src/transfer/wire.js';

const ok = { kind: 'ok', bytes: 3, sha256: 'cd'.repeat(32) } as const;

function answer(...pieces: (string | Buffer)[]): BackupAnswer {
  const made = new BackupAnswer();
  for (const piece of pieces) made.take(Buffer.from(piece));
  return made;
}

t.test('a verdict is understood however it is split', async (t) => {
  const line = verdictLine(ok);
  t.same(answer(line).verdict, ok);
  t.same(answer(...line.toString().split('')).verdict, ok);
  t.equal(answer(line.subarray(0, -1)).verdict, undefined);
});

t.test('a late greeting is ignored, once', async (t) => {
  t.same(answer(GREETING, verdictLine(ok)).verdict, ok);
  t.same(answer(Buffer.concat([GREETING, verdictLine(ok)])).verdict, ok);
  t.same(
    answer(
      ...Buffer.concat([GREETING, verdictLine(ok)])
        .toString()
        .split(''),
    ).verdict,
    ok,
  );
  t.equal(answer(GREETING, GREETING, 'x\n', verdictLine(ok)).verdict, undefined);
});

t.test('only the first line can be a verdict: an echo may hold one by chance', async (t) => {
  t.equal(answer('an image\n', verdictLine(ok)).verdict, undefined);
  t.equal(answer('x'.repeat(600), '\n', verdictLine(ok)).verdict, undefined);
});

t.test('bytes after the verdict change nothing', async (t) => {
  t.same(answer(verdictLine(ok), 'error EIO no\n').verdict, ok);
});

t.test('a first line as long as a verdict can be is one, a longer line is not', async (t) => {
  const start = 'error EIO ';
  const message = (excess: number): string => 'x'.repeat(MAX_VERDICT_BYTES - start.length - 1 + excess);
  t.match(answer(start, message(0), '\n').verdict, { kind: 'error', message: message(0) });
  t.match(answer(`${start}${message(0)}\n`).verdict, { kind: 'error', message: message(0) });
  t.equal(answer(start, message(1), '\n').verdict, undefined);
  t.equal(answer(`${start}${message(1)}\n`).verdict, undefined);
});

t.test('a first line that is no verdict is known to be none, once it has ended or is too long', async (t) => {
  for (const [pieces, isOther] of [
    [[], false],
    [['an image'], false],
    [['an image\n'], true],
    [['\n'], true],
    [['x'.repeat(MAX_VERDICT_BYTES - 1)], false],
    [['x'.repeat(MAX_VERDICT_BYTES)], true],
    [[GREETING], false],
    [[verdictLine(ok)], false],
  ] as const)
    t.equal(answer(...pieces).isOther, isOther, pieces.join('').slice(0, 20));
});
