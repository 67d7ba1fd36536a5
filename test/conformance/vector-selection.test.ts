// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import t from 'tap';
import { ownVectorFiles, selectVectors } from '../../src/conformance/vector-selection.js';
import { emptyVector, killVector } from './example-vectors.js';

t.test('the vector files of a package are its JSON files, sorted by name; there may be none', async (t) => {
  const directory = t.testdir({ 'b.json': '[]', 'a.json': '[]', 'notes.md': '', file: '' });
  t.same(ownVectorFiles(directory), [join(directory, 'a.json'), join(directory, 'b.json')]);
  t.same(ownVectorFiles(join(directory, 'none')), []);
  t.throws(() => ownVectorFiles(join(directory, 'file')), { code: 'ENOTDIR' });
});

t.test(
  'vectors are chosen by suite, dialect and name, all of which must fit, and faults are always there',
  async (t) => {
    const vectors = [
      emptyVector('one'),
      { ...emptyVector('two'), dialect: 'tapdisk2' },
      { ...emptyVector('one'), dialect: 'tapdisk3' },
      killVector,
      7,
    ];
    const file = join(t.testdir({ 'vectors.json': JSON.stringify(vectors) }), 'vectors.json');
    const chosen = (filter?: Parameters<typeof selectVectors>[1]): number[] =>
      selectVectors([file], filter).map(({ item }) =>
        item.kind === 'fault'
          ? 4
          : vectors.findIndex((each) => JSON.stringify(each) === JSON.stringify(item.vector)),
      );
    t.same(chosen(), [0, 1, 2, 3, 4]);
    t.same(chosen({ suite: 'scheduler' }), [0, 1, 2, 4]);
    t.same(chosen({ dialect: 'tapdisk2' }), [0, 1, 4]);
    t.same(chosen({ dialect: 'tapdisk3' }), [2, 4]);
    t.same(chosen({ pattern: 'one' }), [0, 2, 4]);
    t.same(chosen({ suite: 'replication', dialect: 'tapdisk2' }), [4]);
    t.same(chosen({ suite: 'scheduler', pattern: 'kill' }), [4]);
    t.match(selectVectors([file])[0], { file });
  },
);
