// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import * as posix from '../../src/posix/index.js';

t.test('every EAI_ code has its name and its text', async (t) => {
  const codes = Object.entries(posix).filter(([name]) => name.startsWith('EAI_')) as [string, number][];
  t.equal(codes.length, 12);
  for (const [name, code] of codes) {
    t.equal(posix.gaiName(code), name);
    t.not(posix.gaiStrerror(code), 'Unknown error');
  }
  t.equal(posix.gaiStrerror(posix.EAI_NONAME), 'Name or service not known');
  t.equal(posix.gaiName(1), undefined);
  t.equal(posix.gaiStrerror(1), 'Unknown error');
});
