// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { activity, STALL_SECONDS } from '../../src/cli/activity.js';
import { columnsOf } from '../../src/cli/command-io.js';

t.test('phases that are words of the protocol are named, others shown as they are', async (t) => {
  for (const [phase, name] of [
    ['looking up', 'resolving name'],
    ['waiting to try again', 'waiting to retry'],
    ['greeting', 'waiting for greeting'],
    ['awaiting', 'waiting for confirmation'],
    ['waiting', 'waiting for data'],
    ['opening', 'opening output'],
    ['storing', 'flushing to disk'],
    ['refusing', 'reporting failure'],
    ['sending', 'sending'],
    ['\u001b[2J', '\\u001b[2J'],
  ] as const)
    t.equal(activity(phase), name);
  t.equal(STALL_SECONDS, 2);
});

t.test('a terminal of unknown width has 80 columns', async (t) => {
  t.equal(columnsOf({}), 80);
  t.equal(columnsOf({ columns: 0 }), 80);
  t.equal(columnsOf({ columns: 132 }), 132);
});
