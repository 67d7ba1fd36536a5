// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { thrownText } from '../../src/server/thrown-text.js';

t.test('any thrown value is reported', async (t) => {
  t.match(thrownText(new RangeError('too much')), /^RangeError: too much\n +at /);
  t.equal(thrownText(Object.assign(new Error('bare'), { stack: undefined })), 'bare');
  t.equal(thrownText('a text'), 'a text');
  t.equal(thrownText(undefined), 'undefined');
});
