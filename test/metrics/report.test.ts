// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { prometheusText } from '../../src/metrics/prometheus.js';
import { reportText } from '../../src/metrics/report-text.js';
import { vbdReport } from '../../src/metrics/report.js';
import { diskWorld } from '../disks/drivers/disk-world.js';
import { freePort, imageOf } from '../disks/drivers/remus-world.js';
import { exampleReport } from './example-report.js';

t.test('every line of the text format is a comment or a sample, and each family has one type', async (t) => {
  const text = prometheusText(exampleReport);
  t.ok(text.endsWith('\n'));
  const lines = text.trimEnd().split('\n');
  const label = /[a-z]+="(?:[^"\\\n]|\\["\\n])*"/.source;
  const sample = new RegExp(`^tapdisk_[a-z0-9_]+(\\{${label}(,${label})*\\})? [0-9.e+-]+$`);
  for (const line of lines) if (!/^# (HELP|TYPE) tapdisk_/.test(line) && !sample.test(line)) t.fail(line);
  const types = lines.filter((line) => line.startsWith('# TYPE '));
  t.equal(new Set(types.map((line) => line.split(' ')[2])).size, types.length);
});

t.test('the text format has counts, state and an escaped name', async (t) => {
  const text = prometheusText(exampleReport);
  for (const line of [
    'tapdisk_scheduler_events 7',
    'tapdisk_scheduler_callbacks_total 1000',
    'tapdisk_scheduler_slowest_callback_seconds 0.0125',
    'tapdisk_loop_lag_seconds{quantile="0.99"} 0.003',
    'tapdisk_vbd_info{minor="3",name="aio:/a \\"b\\"\\\\c\\nd"} 1',
    'tapdisk_vbd_state{minor="4"} 2',
    'tapdisk_vbd_in_flight{minor="3"} 4',
    'tapdisk_vbd_requests_total{minor="3",kind="write"} 10',
    'tapdisk_vbd_request_errors_total{minor="3",kind="write"} 1',
    'tapdisk_vbd_bytes_total{minor="3",kind="read"} 2097152',
  ]) {
    t.ok(text.includes(`\n${line}\n`), line);
  }
});

t.test('each figure of the daemon is a metric, with its type', async (t) => {
  const lines = prometheusText(exampleReport).split('\n');
  const single = lines.filter((line) => /^tapdisk_(?!vbd)\w+(?:\{quantile[^}]*\})? /.test(line));
  t.same(
    single,
    [
      'uptime_seconds 12.75',
      'resident_bytes 67108864',
      'descriptors 9',
      'control_connections 1',
      'control_connections_total 30',
      'nbd_connections 2',
      'scheduler_events 7',
      'scheduler_events_registered_total 40',
      'scheduler_callbacks_total 1000',
      'scheduler_callback_seconds_total 0.25',
      'scheduler_slowest_callback_seconds 0.0125',
      'loop_lag_seconds{quantile="0.5"} 0.0002',
      'loop_lag_seconds{quantile="0.99"} 0.003',
      'loop_lag_seconds{quantile="1"} 0.02',
    ].map((line) => `tapdisk_${line}`),
  );
  for (const line of lines) {
    const [, name = '', type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name === '' || type === 'histogram') continue;
    t.equal(type, name.endsWith('_total') ? 'counter' : 'gauge', name);
  }
});

t.test('each figure of a disk is a metric with its minor, and of each kind of request', async (t) => {
  const lines = prometheusText(exampleReport).split('\n');
  t.same(
    lines.filter((line) => /^tapdisk_vbd\w+\{minor="3"\} /.test(line)),
    ['state 256', 'sectors 2048', 'in_flight 4', 'waiting 5', 'retries_total 6'].map((figure) =>
      `tapdisk_vbd_${figure}`.replace(' ', '{minor="3"} '),
    ),
  );
  const kinds = ['read', 'write', 'flush', 'discard', 'writeZeroes'];
  for (const name of ['requests_total', 'request_errors_total', 'bytes_total', 'request_seconds_count']) {
    const found = lines.filter((line) => line.startsWith(`tapdisk_vbd_${name}{`));
    const labels = ['3', '4'].flatMap((minor) => kinds.map((kind) => `{minor="${minor}",kind="${kind}"}`));
    t.same(
      found.map((line) => line.slice(`tapdisk_vbd_${name}`.length).split(' ')[0]),
      labels,
      name,
    );
  }
});

t.test('the latency histogram is cumulative and ends with all requests', async (t) => {
  const lines = prometheusText(exampleReport).split('\n');
  const writes = lines.filter(
    (line) => line.startsWith('tapdisk_vbd_request_seconds') && line.includes('3",kind="write"'),
  );
  t.equal(writes.length, 19);
  t.equal(writes[0], 'tapdisk_vbd_request_seconds_bucket{minor="3",kind="write",le="0.0001"} 5');
  t.equal(writes[1], 'tapdisk_vbd_request_seconds_bucket{minor="3",kind="write",le="0.00025"} 9');
  t.equal(writes[15], 'tapdisk_vbd_request_seconds_bucket{minor="3",kind="write",le="10"} 9');
  t.equal(writes[16], 'tapdisk_vbd_request_seconds_bucket{minor="3",kind="write",le="+Inf"} 10');
  t.equal(writes[17], 'tapdisk_vbd_request_seconds_sum{minor="3",kind="write"} 12.5');
  t.equal(writes[18], 'tapdisk_vbd_request_seconds_count{minor="3",kind="write"} 10');
});

t.test('the text output has the same in a few lines', async (t) => {
  t.equal(
    reportText({
      ...exampleReport,
      vbds: exampleReport.vbds.map((vbd) => ({ ...vbd, name: vbd.name && 'aio:/a' })),
    }),
    [
      'pid 71, up 12 s, 64.0 MiB resident, 9 descriptors, 1 control and 2 NBD connections',
      '  scheduler: 7 events, 1000 callbacks in 0.250 s, the slowest 12.5 ms (READ of event 5, descriptor 4)',
      '  loop lag: median 0.2 ms, 99 % 3 ms, at most 20 ms',
      '  vbd 3 running aio:/a, 2048 sectors, 4 in flight, 5 waiting, 6 retries',
      '    read: 200 (0 failed), 2.0 MiB, mean 0.5 ms, 99 % within 0.25 ms',
      '    write: 10 (1 failed), 0.0 MiB, mean 1250 ms',
      '  vbd 4 closed, 0 sectors, 0 in flight, 0 waiting, 0 retries',
      '',
    ].join('\n'),
  );
});

t.test('a name cannot forge a line of the text output', async (t) => {
  const named = exampleReport.vbds.map((vbd) => ({ ...vbd, name: 'aio:/a\n  vbd 9 \u001b[31m' }));
  const lines = reportText({ ...exampleReport, vbds: named.slice(0, 1) }).split('\n');
  t.match(lines[3], 'running aio:/a\\n  vbd 9 \\u001b[31m, 2048 sectors');
  t.equal(lines.length, 7);
});

t.test('99 of 100 requests are 99 %, and 98 are not', async (t) => {
  const vbd = exampleReport.vbds[0];
  if (vbd === undefined) throw new Error('the example has no VBD');
  const within = (quick: number): string => {
    const read = { ...vbd.kinds.read, completed: 100, latencyBuckets: [quick, 100 - quick] };
    return reportText({ ...exampleReport, vbds: [{ ...vbd, kinds: { ...vbd.kinds, read } }] });
  };
  t.match(within(99), '99 % within 0.1 ms\n');
  t.match(within(98), '99 % within 0.25 ms\n');
});

t.test(
  "a disk's report has what it was opened with, and its replication where it is replicated",
  async (t) => {
    const world = diskWorld(t);
    const plain = await world.open('ram:1');
    t.match(vbdReport(plain), { minor: 0, name: 'ram:1', phase: 'running', sectors: 2048, inFlight: 0 });
    t.notOk('replication' in vbdReport(plain));
    const image = imageOf(world, 'b');
    const backup = await world.open(`remus:127.0.0.1:${freePort()},role=backup,journal=4M|aio:${image}`);
    t.match(vbdReport(backup), {
      minor: 1,
      sectors: 2048,
      replication: { role: 'backup', state: 'inconsistent' },
    });
    await backup.close();
    t.match(vbdReport(backup), { minor: 1, name: '', phase: 'closed' });
    t.notOk('replication' in vbdReport(backup), 'a closed disk has none');
  },
);

t.test('times have three digits', async (t) => {
  const loopLag = {
    ...exampleReport.loopLag,
    p50Seconds: 0.0123456,
    p99Seconds: 1.23456,
    maxSeconds: 0.00000123456,
  };
  t.match(reportText({ ...exampleReport, loopLag }), 'median 12.3 ms, 99 % 1230 ms, at most 0.00123 ms\n');
});

t.test('a scheduler without calls has no slowest callback', async (t) => {
  const { slowestCallback: _, ...scheduler } = exampleReport.scheduler;
  const report = { ...exampleReport, scheduler: { ...scheduler, slowestCallback: undefined } };
  t.match(reportText(report), /1000 callbacks in 0\.250 s\n/);
  t.match(prometheusText(report), /^tapdisk_scheduler_slowest_callback_seconds 0$/m);
});

t.test('memory that cannot be read is no metric, and unknown in the text output', async (t) => {
  const { residentBytes: _, ...report } = exampleReport;
  t.notMatch(prometheusText(report), 'resident');
  t.match(reportText(report), /^pid 71, up 12 s, memory unknown, 9 descriptors, /);
});
