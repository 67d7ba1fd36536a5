// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type PlacedStatus, statusLine, statusLines } from '../../../src/cli/replication/status-text.js';

const status: PlacedStatus = {
  pid: 4242,
  minor: 7,
  state: 'catching-up',
  reason: 'the backup gets what it lacks, which is much, as it was away for a long while over a slow link',
  nextCommand: 'tapdisk-ts replication discard --keep FILE --dry-run',
  role: 'primary',
  paused: false,
  address: 'a-host-with-quite-a-long-name.of.an.example.net:65535',
  connection: 'established',
  peerAddress: '[2001:db8:1234:5678:9abc:def0:1234:5678]:65535',
  peerKind: 'own',
  peerVersion: 'tapdisk-ts replication 1',
  tls: true,
  diskId: '0123456789abcdef0123456789abcdef',
  generation: '0123456789abcdef',
  epochCommitted: 4_000_000_000,
  epochSent: 4_000_000_001,
  rpoSeconds: 86_400 * 300,
  openBytes: 2 ** 40,
  dirtyBytes: 2 ** 42,
  queuedBytes: 2 ** 30,
  journalUsedBytes: 2 ** 30,
  journalLimitBytes: 2 ** 40,
  resync: {
    bytes: 2 ** 39,
    totalBytes: 2 ** 40,
    bytesPerSecond: 2 ** 27,
    secondsLeft: 4096,
    waitingFor: null,
  },
  verifiedAtSeconds: 1_795_654_570,
  verifyDifferences: 8,
  checkpoints: 41,
  failedCheckpoints: 3,
  resyncBytesTotal: 2 ** 40,
  lastError: 'cannot write the checkpoints to the image: EIO',
  sinceSeconds: 0,
};

t.test('a status fits 80 columns, whatever it contains', async (t) => {
  const lines = [...statusLines(status, 80), statusLine(status, 80)];
  t.same(
    lines.filter((line) => line.length > 80),
    [],
  );
  const text = lines.join('\n');
  for (const shown of [
    'disk 7 of daemon 4242: catching-up',
    '50 %',
    '128.0 MiB/s',
    'TLS',
    '3 failed',
    '8 sectors differed',
  ]) {
    t.match(text, shown);
  }
});

t.test('unknown facts are shown as unknown, and a C peer as one', async (t) => {
  const bare = {
    ...status,
    rpoSeconds: null,
    resync: null,
    verifiedAtSeconds: null,
    lastError: null,
    tls: false,
  };
  const text = statusLines({ ...bare, nextCommand: null, peerKind: 'c' }, 80).join('\n');
  t.match(text, /RPO +not known/);
  t.match(text, /verify +never in this run/);
  t.match(text, /C driver: done/);
  t.notMatch(text, /last error|resync|next/);
  t.match(statusLine(bare, 80), /RPO not known/);
  const waiting = { ...status, resync: { ...status.resync!, waitingFor: 'room at the backup' } };
  t.match(statusLines(waiting, 80).join('\n'), /waits for room at the backup/);
});
