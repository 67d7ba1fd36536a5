// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { openDirectoryPath } from '../../../src/posix/node/open-directory.js';

t.test(
  'an open directory has the path that the kernel has for its descriptor, where there are such',
  async (t) => {
    t.equal(openDirectoryPath(7, '/usual'), '/proc/self/fd/7');
    const openFiles = t.testdir();
    t.equal(openDirectoryPath(7, '/usual', openFiles), `${openFiles}/7`);
    t.equal(openDirectoryPath(7, '/usual', `${openFiles}/none`), '/usual');
  },
);
