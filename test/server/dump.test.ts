// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type EventDescription, POLL_READ_FD, TIMEOUT } from '../../src/scheduler/event.js';
import { dumpTables } from '../../src/server/dump.js';

t.test('events and descriptors are shown in tables, and deadlines from now', async (t) => {
  const event = (id: number, more: Partial<EventDescription>): EventDescription => ({
    ...{ id, mode: TIMEOUT, fd: -1, timeoutSeconds: 2, deadlineSeconds: 101.5 },
    ...more,
  });
  const events = [
    event(1, {}),
    event(2, { mode: POLL_READ_FD, fd: 3 }),
    event(3, { mode: POLL_READ_FD | TIMEOUT, fd: 3, timeoutSeconds: 0.0005, deadlineSeconds: 100 }),
    event(4, { timeoutSeconds: Infinity, deadlineSeconds: Infinity }),
  ];
  t.equal(
    dumpTables(events, [{ fd: 3, description: 'a socket' }], 100),
    [
      '4 events',
      '  id  mode          fd  timeout   due',
      '  1   TIMEOUT       -1  2 s       in 1.5 s',
      '  2   READ          3   -         -',
      '  3   READ|TIMEOUT  3   0.001 s   in 0 s',
      '  4   TIMEOUT       -1  infinite  never',
      '1 descriptors',
      '  fd  what',
      '  3   a socket',
      '',
    ].join('\n'),
  );
});

t.test('a table without rows has no headings', async (t) => {
  t.equal(dumpTables([], [], 0), '0 events\n0 descriptors\n');
});
