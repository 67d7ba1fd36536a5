// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import t from 'tap';
import { repositoryFile } from '../../scripts/repository-files.js';
import { pinningVectors, rulesOf } from '../../src/conformance/rules.js';
import { vectorName } from '../../src/conformance/vector.js';
import { ownVectorFiles, selectVectors } from '../../src/conformance/vector-selection.js';

const rules = rulesOf(readFileSync(repositoryFile('docs/semantics.md'), 'utf8'));
/** Those that a person named, and not a generator. */
const named = selectVectors(ownVectorFiles().filter((file) => !file.endsWith('-random.json')))
  .flatMap(({ item }) => (item.kind === 'vector' ? [vectorName(item.vector)] : []))
  .filter((name) => !/\/(?:guarded-)?random-\d+$/.test(name));

t.test(
  'the rules are those of the two schedulers, the connect module, the transfers and the ramdisk',
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
        ...numbered('T-D', 3),
        ...numbered('T-E', 5),
        ...numbered('T-I', 4),
        'T-U1',
        ...numbered('T-M', 4),
        ...numbered('T-S', 2),
        ...numbered('T-W', 7),
        ...numbered('T-P', 7),
        ...numbered('T-N', 5),
        'T-G1',
        ...numbered('B', 2),
        ...numbered('R', 21),
        ...numbered('A', 18),
        ...numbered('K', 13),
      ],
    );
  },
);

/** What no vector can show: the C would search for ever. */
const WITHOUT_VECTORS = ['T-I4'];

t.test('every rule is pinned by vectors of its suite that exist', async (t) => {
  const known = new Set(named);
  for (const rule of rules) {
    const vectors = pinningVectors(rule);
    t.equal(vectors.length === 0, WITHOUT_VECTORS.includes(rule.id), `${rule.id} has vectors`);
    t.same(
      vectors.filter((name) => !known.has(name)),
      [],
      `${rule.id} names vectors that exist`,
    );
    t.equal(new Set(vectors).size, vectors.length, `${rule.id} names each once`);
  }
});

t.test('every named vector is listed under a rule', async (t) => {
  t.equal(named.length, 629);
  const pinning = new Set(rules.flatMap((rule) => pinningVectors(rule)));
  t.same(
    named.filter((name) => !pinning.has(name)),
    [],
  );
});
