// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { decodeReason, encodeReason } from '../../../../src/replication/disk/own/reason.js';

t.test('a reason is read as it was written', async (t) => {
  t.same(decodeReason(encodeReason('busy', 'there is one already')), {
    code: 'busy',
    reason: 'there is one already',
    epoch: 0,
  });
  t.equal(decodeReason(encodeReason('full', 'no room', 7)).epoch, 7);
});

t.test('long words are cut, so that they are not too long for the other side', async (t) => {
  t.equal(decodeReason(encodeReason('x', 'y'.repeat(5000))).reason, 'y'.repeat(300));
  // Each of these takes several bytes as JSON, as they may in the path of a file that cannot be written.
  for (const letter of ['\u0001', '\u20ac'])
    t.equal(decodeReason(encodeReason('x', letter.repeat(300))).reason, '?'.repeat(300));
  t.equal(decodeReason(encodeReason('x', '"'.repeat(300))).reason, '"'.repeat(300));
});

t.test('nothing in it steers a terminal', async (t) => {
  const { code, reason } = decodeReason(encodeReason('a\u001bb', '\u007fred\u001b[31m~ \u00e9'));
  t.same([code, reason], ['a?b', '?red?[31m~ ?']);
});

t.test('what is none is refused', async (t) => {
  const refused = (text: string, message: RegExp) =>
    t.throws(() => decodeReason(Buffer.from(text)), { name: 'ProtocolError', message });
  refused('{', /not valid JSON/);
  const reason = { code: 'c', reason: 'r', epoch: 1 };
  for (const change of [{ code: 1 }, { reason: null }, { epoch: 1.5 }, { epoch: '1' }, { epoch: undefined }])
    refused(JSON.stringify({ ...reason, ...change }), /lacks its code, words or epoch/);
  for (const text of ['null', '5']) refused(text, /lacks/);
  const padded = (length: number): string => JSON.stringify(reason).padEnd(length);
  t.same(decodeReason(Buffer.from(padded(1024))), reason);
  refused(padded(1025), /1025 bytes/);
});
