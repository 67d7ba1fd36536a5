// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { prometheusText } from '../../src/metrics/prometheus.js';
import type { ReplicationStatus } from '../../src/replication/disk/status.js';
import { replication } from './example-replication.js';
import { exampleReport } from './example-report.js';

/** The samples of replicated disks when the second VBD of the example is one. */
function samplesOf(status: ReplicationStatus): string[] {
  const [plain, vbd] = exampleReport.vbds;
  if (plain === undefined || vbd === undefined) throw new Error('the example has two VBDs');
  const text = prometheusText({ ...exampleReport, vbds: [plain, { ...vbd, replication: status }] });
  return text.split('\n').filter((line) => line.startsWith('tapdisk_replication_'));
}

t.test('each figure of a replicated disk is a metric, with its minor', async (t) => {
  t.same(
    samplesOf(replication).filter((line) => !/_state/.test(line)),
    [
      'rpo_seconds{minor="4"} 1.5',
      'connected{minor="4"} 1',
      'open_bytes{minor="4"} 103',
      'dirty_bytes{minor="4"} 104',
      'queued_bytes{minor="4"} 105',
      'journal_bytes{minor="4"} 106',
      'journal_limit_bytes{minor="4"} 107',
      'epoch{minor="4"} 101',
      'checkpoints_total{minor="4"} 109',
      'failed_checkpoints_total{minor="4"} 110',
      'resync_bytes_total{minor="4"} 111',
      'verify_differences_total{minor="4"} 108',
    ].map((line) => `tapdisk_replication_${line}`),
  );
});

t.test('one state is 1, and all others are 0', async (t) => {
  const states = samplesOf(replication).filter((line) => /_state/.test(line));
  t.equal(states.length, 8);
  t.same(
    states.filter((line) => !line.endsWith(' 0')),
    ['tapdisk_replication_state{minor="4",state="catching-up"} 1'],
  );
});

t.test('unknown figures are omitted, and a lost connection is 0', async (t) => {
  const lines = samplesOf({ ...replication, rpoSeconds: null, connection: 'connecting' });
  t.notMatch(lines.join('\n'), /rpo/);
  t.ok(lines.includes('tapdisk_replication_connected{minor="4"} 0'));
});

t.test('without a replicated disk there are no replication metrics', async (t) => {
  t.notMatch(prometheusText(exampleReport), /replication/);
});
