// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { FileError, VhdError } from '../../../../src/disks/drivers/index.js';

t.test('the error of an image that cannot be used has the parts of its message', (t) => {
  const fault = {
    kind: 'bad-bat',
    file: '/a.vhd',
    field: 'BAT entry 7',
    problem: 'it is at sector 3',
    remedy: 'restore it from a copy',
  } as const;
  const error = new VhdError(fault);
  t.match(error, { ...fault, name: 'VhdError', number: errno.EINVAL });
  t.equal(error.errno, -errno.EINVAL);
  t.equal(error.message, '/a.vhd: bad-bat: BAT entry 7: it is at sector 3; restore it from a copy');
  t.end();
});

t.test('the error of a file call that failed names the file, the call and the errno', (t) => {
  const error = new FileError('/a.vhd', 'open', errno.ENOENT);
  t.match(error, { name: 'FileError', file: '/a.vhd', number: errno.ENOENT, errno: -errno.ENOENT });
  t.match(error.message, /^\/a\.vhd: cannot open: No such file/);
  t.end();
});
