// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  type Column,
  conformanceColumns,
  conformanceTable,
  markedPart,
  PYTHON,
  tableFile,
} from '../../scripts/conformance-table.js';
import { tallyOf } from '../../src/conformance/vector-result.js';

t.setTimeout(120_000);

const columns = await conformanceColumns();
const missing = spawnSync(PYTHON, ['--version']).error !== undefined;
const skip = missing && `${PYTHON} IS NOT INSTALLED, and nothing was run with it`;

function column(name: string): Column {
  return columns.find((one) => one.name === name) as Column;
}

/** The vectors that did not pass, with the reason. */
function failures({ results }: Column): unknown[] {
  return results.filter(({ outcome }) => outcome === 'failed').map(({ name, reason }) => [name, reason]);
}

const VECTORS = 2433;
const SCHEDULER_VECTORS = 1403;
/** Of tapdisk3's, those in which the C dies; nothing here does. */
const PANICS = 28;

t.test(
  'every vector gives its trace with the scheduler and the connect module that run on sockets',
  async (t) => {
    t.same(failures(column('tapdisk-ts')), []);
    t.same(tallyOf(column('tapdisk-ts').results), { passed: VECTORS, failed: 0, skipped: 0, goneOn: PANICS });
  },
);

t.test(
  'every vector gives its trace with the naive reference schedulers, and the naive ramdisk',
  async (t) => {
    t.same(failures(column('reference')), []);
    t.same(tallyOf(column('reference').results), { passed: VECTORS, failed: 0, skipped: 0, goneOn: PANICS });
  },
);

const schedulersOnly = {
  passed: SCHEDULER_VECTORS,
  failed: 0,
  skipped: VECTORS - SCHEDULER_VECTORS,
  goneOn: PANICS,
};

t.test('the example adapter in JavaScript passes every vector of the schedulers', async (t) => {
  t.same(failures(column('adapter.mjs')), []);
  t.same(tallyOf(column('adapter.mjs').results), schedulersOnly);
});

t.test('the example adapter in Python passes every vector of the schedulers', { skip }, async (t) => {
  t.same(failures(column('adapter.py')), []);
  t.same(tallyOf(column('adapter.py').results), schedulersOnly);
});

t.test('the table of rules and implementations matches these runs', { skip }, async (t) => {
  const table = markedPart(readFileSync(tableFile, 'utf8'));
  t.equal(table, conformanceTable(columns), 'npm run conformance:table writes it anew');
});
