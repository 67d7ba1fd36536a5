// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AddressRange } from '../../src/server/address-range.js';

t.test('an address matches itself, a range the addresses with its prefix', async (t) => {
  const cases: [string, string[], string[]][] = [
    ['10.0.0.2', ['10.0.0.2'], ['10.0.0.3', '10.0.0.1']],
    ['10.0.0.0/24', ['10.0.0.0', '10.0.0.255'], ['10.0.1.0', '9.255.255.255']],
    ['255.255.255.254/31', ['255.255.255.255'], ['255.255.255.253']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['', '::1', '1.2.3', '1.2.3.256']],
  ];
  for (const [text, inside, outside] of cases) {
    const range = AddressRange.parse(text);
    for (const address of inside) t.equal(range?.has(address), true, `${text} has ${address}`);
    for (const address of outside) t.equal(range?.has(address), false, `${text} has no ${address}`);
  }
});

t.test('malformed ranges and trailing text are refused', async (t) => {
  for (const text of [
    '',
    '10',
    '10.0.0.2/24',
    '10.0.0.0/33',
    '10.0.0.0/',
    '010.0.0.1',
    '256.0.0.1',
    '::1',
    'a.b.c.d',
  ])
    t.equal(AddressRange.parse(text), undefined, text);
});
