// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import t from 'tap';
import { repositoryFile } from '../../scripts/repository-files.js';
import { rulesOf } from '../../scripts/semantics-rules.js';
import { ownVectorFiles, selectVectors } from '../../src/conformance/vector-selection.js';

const rules = rulesOf(readFileSync(repositoryFile('docs/semantics.md'), 'utf8'));
/** Those that a person named, and not a generator. */
const named = selectVectors(ownVectorFiles().filter((file) => !file.endsWith('-random.json'))).flatMap(
  ({ item }) => (item.kind === 'vector' ? [item.vector] : []),
);

t.test('the rules are those of the scheduler and of the connect module', async (t) => {
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
    ],
  );
});

t.test('every rule is pinned by vectors of its suite that exist', async (t) => {
  for (const { id, suite, vectors } of rules) {
    t.not(vectors.length, 0, `${id} has vectors`);
    const known = new Set(named.filter((vector) => vector.suite === suite).map(({ name }) => name));
    t.same(
      vectors.filter((name) => !known.has(name)),
      [],
      `${id} names vectors that exist`,
    );
    t.equal(new Set(vectors).size, vectors.length, `${id} names each once`);
  }
});

t.test('every named vector stands under a rule', async (t) => {
  t.equal(named.length, 291);
  const pinning = new Set(rules.flatMap(({ suite, vectors }) => vectors.map((name) => `${suite}/${name}`)));
  t.same(
    named.map(({ suite, name }) => `${suite}/${name}`).filter((name) => !pinning.has(name)),
    [],
  );
});
