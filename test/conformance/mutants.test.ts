// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import t from 'tap';
import { repositoryFile } from '../../scripts/repository-files.js';
import { mutate } from '../../scripts/mutant.js';
import { MUTANTS } from '../../scripts/mutant-list.js';
import { rulesOf } from '../../src/conformance/rules.js';

t.test(
  'every mutant of `npm run mutants` applies to the source as it stands, and breaks a rule',
  async (t) => {
    const rules = new Set(
      rulesOf(readFileSync(repositoryFile('docs/semantics.md'), 'utf8')).map(({ id }) => id),
    );
    const vhd = readFileSync(repositoryFile('docs/vhd.md'), 'utf8');
    for (const [, id = ''] of vhd.matchAll(/^- \*\*(V\d+)\*\* /gm)) rules.add(id);
    const replication = readFileSync(repositoryFile('docs/replication-protocol.md'), 'utf8');
    for (const [, id = ''] of replication.matchAll(/^\| (Q\d+) \|/gm)) rules.add(id);
    // What comes from outside is held to docs/hardening.md, whose rows have no ids.
    rules.add('outside');
    for (const mutant of MUTANTS) {
      const text = readFileSync(repositoryFile(`src/${mutant.file}`), 'utf8');
      t.not(mutate(text, mutant), text, mutant.title);
      t.ok(rules.has(mutant.rule), `${mutant.rule} is a rule`);
    }
  },
);

t.test('a mutant that does not apply exactly once is refused', async (t) => {
  const mutant = { rule: 'E1', title: 'twice', file: 'f.ts', from: 'a', to: 'b' };
  t.throws(() => mutate('aa', mutant), { message: 'f.ts: what "twice" replaces stands there 2 times' });
  t.throws(() => mutate('', mutant), { message: 'f.ts: what "twice" replaces stands there 0 times' });
});
