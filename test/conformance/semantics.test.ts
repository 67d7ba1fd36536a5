// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import t from 'tap';
import { repositoryFile } from '../../scripts/repository-files.js';
import { pinningVectors, rulesOf } from '../../scripts/semantics-rules.js';
import { ownVectorFiles, selectVectors } from '../../src/conformance/vector-selection.js';

const rules = rulesOf(readFileSync(repositoryFile('docs/semantics.md'), 'utf8'));
/** Those that a person named, and not a generator. */
const named = selectVectors(ownVectorFiles().filter((file) => !file.endsWith('-random.json')))
  .flatMap(({ item }) => (item.kind === 'vector' ? [`${item.vector.suite}/${item.vector.name}`] : []))
  .filter((name) => !/\/(?:guarded-)?random-\d+$/.test(name));

t.test(
  'the rules are those of the scheduler, the connect module, the transfers and the ramdisk',
  async (t) => {
    const numbered = (letter: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    t.same(
      rules.map(({ id }) => id),
      [
        ...numbered('E', 6),
        ...numbered('I', 3),
        ...numbered('W', 5),
        ...numbered('P', 7),
        ...numbered('R', 21),
        ...numbered('A', 18),
        ...numbered('K', 13),
      ],
    );
  },
);

t.test('every rule is pinned by vectors of its suite that exist', async (t) => {
  const known = new Set(named);
  for (const rule of rules) {
    const vectors = pinningVectors(rule);
    t.not(vectors.length, 0, `${rule.id} has vectors`);
    t.same(
      vectors.filter((name) => !known.has(name)),
      [],
      `${rule.id} names vectors that exist`,
    );
    t.equal(new Set(vectors).size, vectors.length, `${rule.id} names each once`);
  }
});

t.test('every named vector stands under a rule', async (t) => {
  t.equal(named.length, 426);
  const pinning = new Set(rules.flatMap((rule) => pinningVectors(rule)));
  t.same(
    named.filter((name) => !pinning.has(name)),
    [],
  );
});
