// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What an operator sees of a disk, at each step of its life.

import t from 'tap';
import { statusOf } from '../../../src/replication/disk/status-of.js';
import { DIRECTORY, pair, SECTORS } from './world.js';
import { FIRST } from './primary/metadata-of.js';

const SECTOR = 512;
const GRAIN_BYTES = 65_536;
const JOURNAL_BYTES = 4 << 20;

/** Of a disk that has replicated nothing in this run. */
const NOTHING_YET = {
  rpoSeconds: null,
  openBytes: 0,
  dirtyBytes: 0,
  queuedBytes: 0,
  journalUsedBytes: 0,
  journalLimitBytes: JOURNAL_BYTES,
  resync: null,
  verifiedAtSeconds: null,
  verifyDifferences: 0,
  checkpoints: 0,
  failedCheckpoints: 0,
  resyncBytesTotal: 0,
  lastError: null,
};

t.test('a disk that has met nobody', async (t) => {
  const { a, b, world } = pair(t);
  world.partition(a.host);
  await world.run(() => a.isUp && b.isUp);
  const { generation, diskId, sinceSeconds, ...primary } = a.engine.status();
  t.match(generation, /^[0-9a-f]{16}$/);
  t.match(diskId, /^[0-9a-f]{32}$/);
  t.ok(sinceSeconds <= a.host.clock.now());
  t.same(primary, {
    state: 'unprotected',
    reason: 'opened',
    nextCommand: 'tapdisk-ts replication status',
    role: 'primary',
    paused: false,
    address: '10.0.0.2:9000',
    connection: 'connecting',
    peerAddress: null,
    peerKind: null,
    peerVersion: null,
    tls: false,
    epochCommitted: 0,
    epochSent: 0,
    ...NOTHING_YET,
  });
  const { sinceSeconds: _, ...backup } = b.engine.status();
  t.same(backup, {
    ...primary,
    state: 'inconsistent',
    role: 'backup',
    connection: 'listening',
    diskId: null,
    generation: null,
  });
});

t.test('a disk that is protected, and its backup', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  await a.checkpoint();
  await a.write(8, 2, 2);
  await world.run(0.5);
  const { generation, diskId } = a.engine.status();
  t.match(a.engine.status(), {
    state: 'protected',
    nextCommand: null,
    connection: 'established',
    peerAddress: /^10\.0\.0\.2:9000$/,
    peerKind: 'own',
    peerVersion: 'tapdisk-ts replication 1',
    epochCommitted: 2,
    epochSent: 2,
    openBytes: 2 * SECTOR,
    dirtyBytes: GRAIN_BYTES,
    checkpoints: 2,
    resyncBytesTotal: SECTORS * SECTOR,
    resync: null,
  });
  t.match(b.engine.status(), {
    state: 'backup',
    nextCommand: null,
    connection: 'established',
    peerAddress: /^10\.0\.0\.1:/,
    peerKind: 'own',
    generation,
    diskId,
    epochCommitted: 2,
    epochSent: 2,
    openBytes: 2 * SECTOR,
    dirtyBytes: 0,
  });
});

t.test('what would be lost is the age of what the backup has, and nothing while that is all', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  const closedAt = world.nowSeconds;
  await a.checkpoint();
  await world.run(5);
  t.equal(a.engine.status().rpoSeconds, 0);
  await a.write(8, 8, 2);
  const age = (): number => world.nowSeconds - closedAt;
  const isAge = (seconds: number | null): boolean => seconds !== null && Math.abs(seconds - age()) < 0.2;
  t.ok(isAge(a.engine.status().rpoSeconds), `${a.engine.status().rpoSeconds} s`);
  t.ok(isAge(b.engine.status().rpoSeconds), `${b.engine.status().rpoSeconds} s`);
  b.host.crash('reset');
  await a.until('unprotected');
  await world.run(3);
  t.ok(isAge(a.engine.status().rpoSeconds), 'without a backup too');
  a.host.adjustClock(-1000);
  t.equal(a.engine.status().rpoSeconds, 0, 'whatever becomes of the clock');
});

t.test('a resync under way is shown, as far as it is', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  world.partition(a.host);
  await a.until('unprotected');
  await a.write(0, 2048, 3);
  t.equal(a.engine.status().dirtyBytes, 2048 * SECTOR);
  t.equal(a.engine.status().resync, null);
  world.link(a.host, b.host).shape({ bytesPerSecond: 200_000 });
  world.heal();
  await a.until('catching-up');
  t.match(a.engine.status().resync, { bytes: 0, totalBytes: 2048 * SECTOR, waitingFor: null });
  await world.run(() => (a.engine.status().resync?.bytes ?? 0) > 0);
  const { resync } = a.engine.status();
  t.ok((resync?.bytesPerSecond ?? 0) > 0 && resync?.secondsLeft !== null);
  t.ok(a.engine.status().queuedBytes > 0, 'what waits to be sent');
  await a.until('protected');
  t.equal(a.engine.status().resync, null);
});

t.test('the backup’s journal is as full as its checkpoints take, until the image has them', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  await world.run(1);
  t.equal(b.engine.status().journalUsedBytes, 0);
  b.engine.openCheckpoint(() => {});
  await a.write(0, 256, 3);
  await a.checkpoint();
  await world.run(1);
  const { journalUsedBytes } = b.engine.status();
  t.ok(journalUsedBytes >= 256 * SECTOR && journalUsedBytes <= 300 * SECTOR, `${journalUsedBytes} bytes`);
});

t.test('the last error, and the time of the last verification', async (t) => {
  const { a, world } = pair(t, { a: { verifyBytesPerSecond: 0 } });
  await a.until('protected');
  await a.command((done) => a.engine.verify(done));
  const { verifiedAtSeconds } = a.engine.status();
  t.ok(verifiedAtSeconds !== null && Math.abs(verifiedAtSeconds - a.host.clock.now()) < 1);
  a.host.files.rot(`${DIRECTORY}/map`, 20);
  a.host.crash('end of file');
  a.host.restart();
  await world.run(() => a.isUp);
  t.match(a.engine.status().lastError, /map: the sector at 0 is damaged/);
  t.equal(a.engine.status().dirtyBytes, SECTORS * SECTOR, 'and all of its grains may differ');
});

/** An engine between two roles, or with what a test gives it of one. */
const played = (more: object = {}) =>
  ({
    options: { address: '10.0.0.2:9000', journalBytes: JOURNAL_BYTES },
    parts: { posix: { clock: { now: () => 50 } }, tls: undefined },
    reporter: { reason: 'opened', lastError: null, sinceSeconds: 7 },
    state: { metadata: { current: FIRST } },
    word: 'unprotected',
    isPaused: true,
    connector: { state: 'connecting' },
    peering: { address: null, kind: null, version: null, waitsFor: 'room at the backup' },
    primary: undefined,
    backup: undefined,
    ...more,
  }) as never;

t.test('a disk that changes its role has the status that its metadata say', async (t) => {
  t.strictSame(statusOf(played()), {
    state: 'unprotected',
    reason: 'opened',
    nextCommand: 'tapdisk-ts replication status',
    role: 'primary',
    paused: true,
    address: '10.0.0.2:9000',
    connection: 'connecting',
    peerAddress: null,
    peerKind: null,
    peerVersion: null,
    tls: false,
    diskId: FIRST.diskId,
    generation: FIRST.generation,
    epochCommitted: FIRST.acked,
    epochSent: FIRST.sent,
    ...NOTHING_YET,
    sinceSeconds: 7,
  });
});

t.test('a resync that waits for room is shown with what it will bring, until it runs', async (t) => {
  const running = { bytes: 1, totalBytes: 2, bytesPerSecond: 3, secondsLeft: 4, waitingFor: null };
  const waiting = {
    bytes: 0,
    totalBytes: 4096,
    bytesPerSecond: 0,
    secondsLeft: null,
    waitingFor: 'room at the backup',
  };
  const resyncOf = (phase: string, resync: object | undefined, more: object = {}) => {
    const primary = {
      phase,
      resync,
      grains: { dirtyBytes: 4096 },
      checkpoints: { openBytes: 0, committing: 0, ackedAtSeconds: undefined, count: 0, failed: 0 },
      epochs: { closed: 3 },
      verifier: { endedAtSeconds: undefined, differences: 0 },
      progress: { sentBytes: 0 },
      peer: undefined,
    };
    return statusOf(played({ primary, ...more })).resync;
  };
  t.strictSame(resyncOf('alone', undefined), waiting);
  t.strictSame(resyncOf('copying', running), running);
  t.strictSame(resyncOf('alone', undefined, { peering: { waitsFor: null } }), null);
});
