// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DiskState, ReplicationStatus } from '../replication/disk/status.js';
import { family, type Sample } from './prometheus-family.js';
import type { VbdReport } from './report.js';

const STATES: readonly DiskState[] = [
  'protected',
  'catching-up',
  'unprotected',
  'backup',
  'stale',
  'split-brain',
  'inconsistent',
  'failed',
];

type Field = readonly [
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  value: (status: ReplicationStatus) => number | null,
];

const FIELDS: readonly Field[] = [
  [
    'rpo_seconds',
    'gauge',
    'Seconds since the committed state was that of the primary; missing while it is not known.',
    ({ rpoSeconds }) => rpoSeconds,
  ],
  [
    'connected',
    'gauge',
    '1 while there is a connection to the other side.',
    (status) => (status.connection === 'established' ? 1 : 0),
  ],
  ['open_bytes', 'gauge', 'Written since the last checkpoint.', ({ openBytes }) => openBytes],
  ['dirty_bytes', 'gauge', 'In grains that may differ from the other side.', ({ dirtyBytes }) => dirtyBytes],
  ['queued_bytes', 'gauge', 'Waiting to be sent.', ({ queuedBytes }) => queuedBytes],
  ['journal_bytes', 'gauge', 'Of the journal in use.', (status) => status.journalUsedBytes],
  ['journal_limit_bytes', 'gauge', 'The size of the journal.', (status) => status.journalLimitBytes],
  ['epoch', 'gauge', 'The last committed checkpoint.', ({ epochCommitted }) => epochCommitted],
  ['checkpoints_total', 'counter', 'Checkpoints that were committed.', ({ checkpoints }) => checkpoints],
  ['failed_checkpoints_total', 'counter', 'Checkpoints that failed.', (status) => status.failedCheckpoints],
  ['resync_bytes_total', 'counter', 'Bytes of resyncs.', ({ resyncBytesTotal }) => resyncBytesTotal],
  [
    'verify_differences_total',
    'counter',
    'Sectors that verifications found to differ.',
    (status) => status.verifyDifferences,
  ],
];

/** The metrics of replicated disks; none where there are no such disks. */
export function replicationFamilies(vbds: readonly VbdReport[]): string[] {
  const disks = vbds.flatMap(({ minor, replication }) => (replication ? [{ minor, replication }] : []));
  if (disks.length === 0) return [];
  const states = disks.flatMap(({ minor, replication }) =>
    STATES.map((state): Sample => ['', { minor, state }, replication.state === state ? 1 : 0]),
  );
  return [
    ...family('replication_state', 'gauge', '1 for the state that a replicated disk is in.', states),
    ...FIELDS.flatMap(([name, type, help, value]) => {
      const samples = disks.flatMap(({ minor, replication }): Sample[] => {
        const measured = value(replication);
        return measured === null ? [] : [['', { minor }, measured]];
      });
      return family(`replication_${name}`, type, help, samples);
    }),
  ];
}
