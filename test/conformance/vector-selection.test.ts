// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import t from 'tap';
import { ownVectorFiles } from '../../src/conformance/vector-selection.js';

t.test(
  'the vector files of a package are those in JSON, by their names; without any there are none',
  async (t) => {
    const directory = t.testdir({ 'b.json': '[]', 'a.json': '[]', 'notes.md': '', file: '' });
    t.same(ownVectorFiles(directory), [join(directory, 'a.json'), join(directory, 'b.json')]);
    t.same(ownVectorFiles(join(directory, 'none')), []);
    t.throws(() => ownVectorFiles(join(directory, 'file')), { code: 'ENOTDIR' });
  },
);
