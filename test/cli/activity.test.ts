// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { activity, STALL_SECONDS } from '../../src/cli/activity.js';
import { columnsOf } from '../../src/cli/command-io.js';

t.test('phases that are words of the protocol are named, others shown as they are', async (t) => {
  t.equal(activity('storing'), 'flushing to disk');
  t.equal(activity('sending'), 'sending');
  t.equal(activity('\u001b[2J'), '\\u001b[2J');
  t.equal(STALL_SECONDS, 2);
});

t.test('a terminal of unknown width has 80 columns', async (t) => {
  t.equal(columnsOf({}), 80);
  t.equal(columnsOf({ columns: 0 }), 80);
  t.equal(columnsOf({ columns: 132 }), 132);
});
