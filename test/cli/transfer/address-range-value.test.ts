// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { addressRange } from '../../../src/cli/transfer/address-range-value.js';

t.test('an address or a range is taken, and nothing else', async (t) => {
  t.equal(addressRange.parse('10.0.0.2').has('10.0.0.2'), true);
  t.equal(addressRange.parse('10.0.0.0/24').has('10.0.0.2'), true);
  for (const text of ['', 'localhost', '10.0.0.2/24', '10.0.0.0/33', '::1'])
    t.throws(
      () => addressRange.parse(text),
      { name: 'UsageError', message: /^expected an IPv4 address such as 10\.0\.0\.2, or a range such as / },
      text,
    );
});
