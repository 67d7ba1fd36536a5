// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Report } from '../../src/metrics/report.js';
import type { KindSnapshot } from '../../src/disks/index.js';

const none: KindSnapshot = {
  completed: 0,
  failed: 0,
  bytes: 0,
  latencySumSeconds: 0,
  latencyBuckets: Array.from({ length: 17 }, () => 0),
};

/** Ten writes: five within 0.1 ms, four within 0.25 ms, one in more than 10 s, which failed. */
const writes: KindSnapshot = {
  completed: 10,
  failed: 1,
  bytes: 9 * 4096,
  latencySumSeconds: 12.5,
  latencyBuckets: [5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
};

const reads: KindSnapshot = {
  ...none,
  completed: 200,
  bytes: 2 << 20,
  latencySumSeconds: 0.1,
  latencyBuckets: [100, 99, 1, ...Array.from({ length: 14 }, () => 0)],
};

export const exampleReport: Report = {
  version: 1,
  pid: 71,
  uptimeSeconds: 12.75,
  residentBytes: 64 << 20,
  descriptors: 9,
  connections: { control: 1, controlAccepted: 30, nbd: 2 },
  scheduler: {
    events: 7,
    registered: 40,
    unregistered: 33,
    callbacks: 1000,
    callbackSeconds: 0.25,
    slowestCallback: { seconds: 0.0125, eventId: 5, mode: 'READ', fd: 4 },
  },
  loopLag: { meanSeconds: 0.0001, p50Seconds: 0.0002, p99Seconds: 0.003, maxSeconds: 0.02 },
  vbds: [
    {
      minor: 3,
      name: 'aio:/a "b"\\c\nd',
      phase: 'running',
      state: 256,
      sectors: 2048,
      kinds: { read: reads, write: writes, flush: none, discard: none, writeZeroes: none },
      inFlight: 4,
      waiting: 5,
      retrying: 1,
      retries: 6,
    },
    {
      minor: 4,
      name: '',
      phase: 'closed',
      state: 2,
      sectors: 0,
      kinds: { read: none, write: none, flush: none, discard: none, writeZeroes: none },
      inFlight: 0,
      waiting: 0,
      retrying: 0,
      retries: 0,
    },
  ],
};
