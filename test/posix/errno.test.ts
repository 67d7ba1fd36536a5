// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errnoCode } from '../../src/posix/errno.js';
import { errno, errnoName, errnoNumber, strerror } from '../../src/posix/index.js';

t.test('errors have names and numbers', async (t) => {
  t.equal(errnoName(errno.ECONNREFUSED), 'ECONNREFUSED');
  t.equal(errnoName(-errno.EBADF), 'EBADF');
  t.equal(errnoName(123_456), undefined);
  t.equal(errnoNumber('ENOENT'), errno.ENOENT);
  t.equal(errnoNumber('ENOTHING'), undefined);
  t.equal(errnoNumber('toString'), undefined);
  t.equal(errnoCode(-errno.EBADF), 'EBADF');
  t.equal(errnoCode(-123_456), 'errno 123456');
});

t.test('strerror has the texts of Linux', async (t) => {
  t.equal(strerror(errno.ECONNREFUSED), 'Connection refused');
  t.equal(strerror(errno.EADDRNOTAVAIL), 'Cannot assign requested address');
  t.equal(strerror(errno.EAGAIN), 'Resource temporarily unavailable');
  t.equal(strerror(0), 'Success');
  t.equal(strerror(123_456), 'Unknown error 123456');
  t.equal(
    strerror(-errno.ECONNREFUSED),
    `Unknown error -${errno.ECONNREFUSED}`,
    'as in C, a negative number is none',
  );
});

t.test('every errno of this system has a text', async (t) => {
  for (const [name, number] of Object.entries(errno)) t.notMatch(strerror(number), /^Unknown/, name);
});
