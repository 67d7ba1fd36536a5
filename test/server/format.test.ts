// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { formatBytes, formatRate, formatSeconds, formatWait } from '../../src/server/format.js';

t.test('bytes are shown in the largest unit of which there is at least one', async (t) => {
  t.equal(formatBytes(0), '0 B');
  t.equal(formatBytes(1023), '1023 B');
  t.equal(formatBytes(1024), '1.0 KiB');
  t.equal(formatBytes(67_108_864), '64.0 MiB');
  t.equal(formatBytes(2 ** 53), '8.0 PiB');
  t.equal(formatBytes(2 ** 63), '8192.0 PiB');
  t.equal(formatRate(2048), '2.0 KiB/s');
});

t.test('seconds are shown with a precision that suits their size', async (t) => {
  for (const [seconds, text] of [
    [0, '0.00 s'],
    [0.1234, '0.12 s'],
    [9.9, '9.90 s'],
    [10, '10.0 s'],
    [12.34, '12.3 s'],
    [59.9, '59.9 s'],
    [60, '1 min 0 s'],
    [187.9, '3 min 7 s'],
    [3599, '59 min 59 s'],
    [3600, '1 h 0 min'],
    [3720, '1 h 2 min'],
    [7199, '1 h 59 min'],
    [7200, '2 h 0 min'],
    [90_000, '25 h 0 min'],
  ] as const)
    t.equal(formatSeconds(seconds), text);
});

t.test('a wait is shown in whole seconds, and in minutes from the first one', async (t) => {
  t.equal(formatWait(0), '0 s');
  t.equal(formatWait(59), '59 s');
  t.equal(formatWait(60), '1 min 0 s');
  t.equal(formatWait(187), '3 min 7 s');
});
