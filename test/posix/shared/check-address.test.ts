// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, errno } from '../../../src/posix/index.js';
import { checkAddress } from '../../../src/posix/shared/check-address.js';

t.test('a port is a whole number from 0 to 65535', async (t) => {
  const check = (port: number): number =>
    checkAddress({ family: AF_INET, address: '127.0.0.1', port }, AF_INET);
  for (const port of [0, 1, 65_535]) t.equal(check(port), 0, `${port}`);
  for (const port of [-1, 65_536, 0.5, Number.NaN]) t.equal(check(port), -errno.EINVAL, `${port}`);
});
