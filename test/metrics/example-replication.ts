// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ReplicationStatus } from '../../src/replication/disk/status.js';

export const replication: ReplicationStatus = {
  state: 'catching-up',
  reason: 'it was away',
  nextCommand: null,
  role: 'primary',
  paused: false,
  address: 'backup:9000',
  connection: 'established',
  peerAddress: '10.0.0.2:9000',
  peerKind: 'own',
  peerVersion: 'tapdisk-ts replication 1',
  tls: false,
  diskId: '0123456789abcdef0123456789abcdef',
  generation: '0123456789abcdef',
  epochCommitted: 101,
  epochSent: 102,
  rpoSeconds: 1.5,
  openBytes: 103,
  dirtyBytes: 104,
  queuedBytes: 105,
  journalUsedBytes: 106,
  journalLimitBytes: 107,
  resync: null,
  verifiedAtSeconds: null,
  verifyDifferences: 108,
  checkpoints: 109,
  failedCheckpoints: 110,
  resyncBytesTotal: 111,
  lastError: null,
  sinceSeconds: 0,
};
