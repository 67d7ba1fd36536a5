// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EngineCore } from './engine-core.js';
import { NO_DISK, NO_ID } from './format/metadata-record.js';
import { nextCommandFor } from './state-of.js';
import type { ReplicationStatus } from './status.js';

/** The snapshot that operators see. */
export function statusOf(engine: EngineCore): ReplicationStatus {
  const { connector, peering } = engine;
  const { primary, backup, reporter, options } = engine;
  const { current } = engine.state.metadata;
  const { word } = engine;
  const now = engine.parts.posix.clock.now();
  return {
    state: word,
    reason: reporter.reason,
    nextCommand: nextCommandFor(word),
    role: current.role,
    paused: engine.isPaused,
    address: options.address,
    connection: connector?.state ?? 'none',
    peerAddress: peering?.address ?? null,
    peerKind: peering?.kind ?? null,
    peerVersion: peering?.version ?? null,
    tls: engine.parts.tls !== undefined,
    diskId: current.diskId === NO_DISK ? null : current.diskId,
    generation: current.generation === NO_ID ? null : current.generation,
    epochCommitted: backup?.epoch ?? current.acked,
    epochSent: backup?.epoch ?? primary?.epochs.closed ?? current.sent,
    rpoSeconds: rpoOf(engine, now),
    openBytes: primary?.checkpoints.openBytes ?? backup?.store.openBytes ?? 0,
    dirtyBytes: primary?.grains.dirtyBytes ?? 0,
    queuedBytes: primary?.peer?.queuedBytes ?? 0,
    journalUsedBytes: backup?.journal.usedBytes ?? 0,
    journalLimitBytes: backup?.journal.limitBytes ?? options.journalBytes,
    resync: resyncOf(engine),
    verifiedAtSeconds: primary?.verifier.endedAtSeconds ?? null,
    verifyDifferences: primary?.verifier.differences ?? 0,
    checkpoints: primary?.checkpoints.count ?? 0,
    failedCheckpoints: primary?.checkpoints.failed ?? 0,
    resyncBytesTotal: primary?.progress.sentBytes ?? 0,
    lastError: reporter.lastError,
    sinceSeconds: reporter.sinceSeconds,
  };
}

/** What would be lost now, in seconds of work. */
function rpoOf({ primary, backup }: EngineCore, now: number): number | null {
  if (primary?.phase === 'protected') {
    const { openBytes, committing } = primary.checkpoints;
    if (openBytes === 0 && committing === 0) return 0;
  }
  const at = primary ? primary.checkpoints.ackedAtSeconds : backup?.committedAtSeconds;
  return at === undefined ? null : Math.max(now - at, 0);
}

/** The resync under way, or the one that waits until the backup has room. */
function resyncOf({ primary, peering }: EngineCore): ReplicationStatus['resync'] {
  const waitingFor = peering?.waitsFor ?? null;
  if (primary === undefined || waitingFor === null || primary.phase !== 'alone')
    return primary?.resync ?? null;
  return {
    bytes: 0,
    totalBytes: primary.grains.dirtyBytes,
    bytesPerSecond: 0,
    secondsLeft: null,
    waitingFor,
  };
}
