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
