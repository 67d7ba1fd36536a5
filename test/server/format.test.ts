// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { formatBytes, formatRate, formatSeconds } from '../../src/server/format.js';

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
  t.equal(formatSeconds(0.1234), '0.12 s');
  t.equal(formatSeconds(12.34), '12.3 s');
  t.equal(formatSeconds(187), '3 min 7 s');
  t.equal(formatSeconds(3_720), '1 h 2 min');
});
