// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Assignment } from '../../src/conformance/suite-run.js';
import type { ReplicationVector, SchedulerVector, Vector } from '../../src/conformance/vector.js';

/** A scheduler's vector that does nothing, and passes. */
export function emptyVector(name: string): SchedulerVector {
  return {
    suite: 'scheduler',
    name,
    about: 'A script.',
    fault: true,
    clock: 1000,
    events: {},
    steps: [],
    trace: [],
  };
}

/** Two events that wait for a descriptor each. */
export const twoReaders = {
  a: { mode: ['READ'], fd: 5, timeout: 0 },
  b: { mode: ['READ'], fd: 6, timeout: 0 },
} as const;

/** A vector of the suite `replication` that passes. */
export const killVector: ReplicationVector = {
  suite: 'replication',
  name: 'kill',
  clock: 1,
  connect: { retryTimeout: 1, maxConnections: 1, fd: -1 },
  syscalls: {},
  steps: [['kill']],
  trace: [
    ['return', 'kill', null],
    ['state', { fd: -1, listenFd: 0, id: 0, status: 'none' }],
  ],
};

/** A vector as a file brings it. */
export function assignmentOf(vector: Vector, file = 'f'): Assignment {
  return { file, item: { kind: 'vector', vector, warnings: [] } };
}
