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

t.test('a status has each figure in its line', async (t) => {
  t.same(statusLines({ ...status, reason: 'it was away', rpoSeconds: 1.5, paused: true }, 200), [
    'disk 7 of daemon 4242: catching-up',
    '  why         it was away',
    '  next        tapdisk-ts replication discard --keep FILE --dry-run',
    '  role        primary, paused, a-host-with-quite-a-long-name.of.an.example.net:65535',
    '  peer        [2001:db8:1234:5678:9abc:def0:1234:5678]:65535 (own tapdisk-ts replication 1), TLS',
    '  checkpoint  4000000000 committed, 4000000001 sent, 3 failed, generation 0123456789abcdef',
    '  RPO         1.50 s',
    '  open        1.0 TiB, 4.0 TiB dirty',
    '  journal     1.0 GiB of 1.0 TiB',
    '  resync      50 %: 512.0 GiB of 1.0 TiB, 128.0 MiB/s, 1 h 8 min left',
    '  verify      2026-11-26T00:56:10.000Z, 8 sectors differed',
    '  last error  cannot write the checkpoints to the image: EIO',
  ]);
  t.equal(
    statusLine({ ...status, rpoSeconds: 1.5 }, 200),
    'disk 7 catching-up, RPO 1.50 s, open 1.0 TiB, dirty 4.0 TiB, resync 50 %',
  );
  t.equal(statusLine(status, 10), 'disk 7 cat');
  t.equal(
    statusLine({ ...status, resync: null, rpoSeconds: null }, 200),
    'disk 7 catching-up, RPO not known, open 1.0 TiB, dirty 4.0 TiB',
  );
});

t.test('a figure without meaning is left out', async (t) => {
  const line = (name: string, changes: Partial<PlacedStatus>): string | undefined =>
    statusLines({ ...status, ...changes }, 200)
      .find((text) => text.startsWith(`  ${name}`))
      ?.slice(14);
  const sent = { epochCommitted: 7, epochSent: 7, failedCheckpoints: 0 };
  t.equal(line('checkpoint', { ...sent, generation: null }), '7 committed, generation none');
  t.equal(line('peer', { connection: 'connecting' }), 'connecting');
  t.equal(line('peer', { peerAddress: null }), 'established');
  const peer = { peerAddress: 'b:9', tls: false };
  t.equal(line('peer', { ...peer, peerVersion: null }), 'b:9 (own), no TLS');
  t.equal(line('peer', { ...peer, peerKind: 'c' }), 'b:9 (C driver: done means received), no TLS');
  const resync = { ...status.resync!, secondsLeft: null };
  t.equal(line('resync', { resync }), '50 %: 512.0 GiB of 1.0 TiB, 128.0 MiB/s');
  const share = (bytes: number, totalBytes: number): string | undefined =>
    line('resync', { resync: { ...resync, bytes, totalBytes } })?.split(':')[0];
  t.same(
    [share(0, 0), share(999, 1000), share(1000, 1000), share(2000, 1000), share(0, 1000)],
    ['100 %', '99 %', '100 %', '100 %', '0 %'],
  );
});

t.test('what does not fit a line goes on below itself, word by word', async (t) => {
  const why = (reason: string, columns: number): string[] => {
    const lines = statusLines({ ...status, reason, nextCommand: null }, columns);
    return lines.slice(
      1,
      lines.findIndex((line) => line.startsWith('  role')),
    );
  };
  t.same(why('0123456789 0123456789 x', 14 + 21), ['  why         0123456789 0123456789', '              x']);
  t.same(why('0123456789 0123456789', 14 + 20), ['  why         0123456789', '              0123456789']);
  t.same(
    why('0123456789 012345678', 1),
    ['  why         0123456789 012345678'],
    'it is never less than 20 wide',
  );
  t.same(why('0123456789012345678901234567890 x', 34), [
    '  why         0123456789012345678901234567890',
    '              x',
  ]);
});

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
