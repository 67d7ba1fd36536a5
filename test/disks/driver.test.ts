// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { imageFileOf } from '../../src/disks/driver.js';
import type { FileStatus } from '../../src/posix/files.js';

t.test('an image is identified by its file and the microsecond of its last change', async (t) => {
  const status = { fileSystem: 2, inode: 3, modifiedSeconds: 1_700_000_000.123_456 } as FileStatus;
  t.same(imageFileOf('/a', status), {
    path: '/a',
    fileSystem: 2,
    inode: 3,
    modifiedMicroseconds: 1_700_000_000_123_456,
  });
});
