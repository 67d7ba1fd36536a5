// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { nextCommandFor, type StateFacts, stateOf } from '../../../src/replication/disk/state-of.js';

const PRIMARY: StateFacts = {
  role: 'primary',
  hasFailed: false,
  isStale: false,
  isSplitBrain: false,
  isUsable: true,
  phase: 'protected',
  differs: false,
};
const BACKUP: StateFacts = { ...PRIMARY, role: 'backup', phase: 'alone' };

t.test('a primary is what its connection to the backup is', async (t) => {
  t.equal(stateOf(PRIMARY), 'protected');
  t.equal(stateOf({ ...PRIMARY, phase: 'alone' }), 'unprotected');
  t.equal(stateOf({ ...PRIMARY, phase: 'copying' }), 'catching-up');
  t.equal(stateOf({ ...PRIMARY, phase: 'streaming' }), 'catching-up');
});

t.test('sides that were found to differ are inconsistent, unless there is something worse', async (t) => {
  t.equal(stateOf({ ...PRIMARY, differs: true }), 'inconsistent');
  t.equal(stateOf({ ...PRIMARY, differs: true, phase: 'alone' }), 'unprotected');
  t.equal(stateOf({ ...PRIMARY, differs: true, phase: 'streaming' }), 'catching-up');
});

t.test('a backup is one once it has a checkpoint', async (t) => {
  t.equal(stateOf(BACKUP), 'backup');
  t.equal(stateOf({ ...BACKUP, isUsable: false }), 'inconsistent');
});

t.test('the worst that holds is the state', async (t) => {
  for (const side of [PRIMARY, BACKUP]) {
    t.equal(stateOf({ ...side, isStale: true }), 'stale');
    t.equal(stateOf({ ...side, isStale: true, isSplitBrain: true }), 'split-brain');
    t.equal(stateOf({ ...side, isSplitBrain: true, hasFailed: true }), 'failed');
  }
});

t.test('there is a command to type where an operator is needed', async (t) => {
  t.match(nextCommandFor('stale'), /rejoin/);
  t.match(nextCommandFor('split-brain'), /discard/);
  t.match(nextCommandFor('failed'), /events/);
  for (const state of ['inconsistent', 'unprotected'] as const) t.match(nextCommandFor(state), /status/);
  for (const state of ['protected', 'catching-up', 'backup'] as const) t.equal(nextCommandFor(state), null);
});
