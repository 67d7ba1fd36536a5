// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { stateBits, stateName, type VbdPhase } from '../../src/disks/state.js';

const phases: VbdPhase[] = [
  'closed',
  'opening',
  'running',
  'pausing',
  'paused',
  'resuming',
  'draining',
  'closing',
  'dead',
];

t.test('each phase has its own name, also with requests that wait for a retry', async (t) => {
  for (const phase of phases) {
    t.equal(stateName(stateBits(phase, false)), phase);
    t.equal(stateName(stateBits(phase, true)), `${phase}, retrying`);
  }
});

t.test('state bits of other daemons that are no phase are named one by one', async (t) => {
  t.equal(stateName(4), 'quiesce requested');
  t.equal(stateName(2 | 64), 'closed, shutdown requested');
  t.equal(stateName(512), 'running, log dropped');
  t.equal(stateName(8 | 1024 | 256), 'quiesced, unknown 0x400, retrying');
  t.equal(stateName(-(2 ** 31)), 'unknown 0x80000000');
});

t.test('phases are shown by the bits that tapdisk has for them', async (t) => {
  t.same(
    phases.map((phase) => stateBits(phase, false)),
    [2, 2 | 128, 0, 16 | 4, 32 | 8 | 2, 32 | 8 | 2 | 128, 64, 64 | 8, 1 | 2],
  );
  t.same(
    phases.map((phase) => stateBits(phase, true) - stateBits(phase, false)),
    phases.map(() => 256),
  );
});

t.test('each bit has a name', async (t) => {
  t.same(
    [1, 2, 4, 8, 16, 32, 128].map((bit) => stateName(bit | 1024)),
    ['dead', 'closed', 'quiesce requested', 'quiesced', 'pause requested', 'paused', 'locking'].map(
      (name) => `${name}, unknown 0x400`,
    ),
  );
  t.equal(stateName(64 | 1), 'dead, shutdown requested');
  t.equal(stateName(256 | 512), 'running, retrying, log dropped');
});
