// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { LatencyHistogram } from '../../../src/disks/latency-histogram.js';
import { DiskHistory } from '../../../src/metrics/page/disk-history.js';
import { HISTORY_SECONDS } from '../../../src/metrics/page/wire.js';
import type { VbdReport } from '../../../src/metrics/report.js';
import { exampleReport } from '../example-report.js';

const [disk] = exampleReport.vbds as [VbdReport, ...VbdReport[]];

/** The report after so many writes of 4 KiB more. */
function after(writes: number): VbdReport {
  const { write } = disk.kinds;
  const more = { ...write, completed: write.completed + writes, bytes: write.bytes + 4096 * writes };
  return { ...disk, kinds: { ...disk.kinds, write: more } };
}

t.test('a sample has the rates since the previous one, per second', async (t) => {
  const history = new DiskHistory();
  const latencies = new LatencyHistogram();
  latencies.add(5);
  history.take(1000, latencies.counts(), disk);
  t.same(history.history(3).at, [], 'what was before the first look belongs to no second');
  for (let count = 0; count < 10; count++) latencies.add(0.001);
  history.take(1002, latencies.counts(), after(10));
  t.match(history.last, { readBytes: 0, writtenBytes: 20_480, reads: 0, writes: 5, inFlight: 4, waiting: 5 });
  const { p50Seconds } = history.last;
  t.ok(p50Seconds !== null && p50Seconds >= 0.001 && p50Seconds < 0.0012, String(p50Seconds));
  history.take(1003, latencies.counts(), after(10));
  t.match(history.last, { writtenBytes: 0, p50Seconds: null, p99Seconds: null, rpoSeconds: null });
  history.take(1003, latencies.counts(), after(20));
  t.equal(history.history(3).at.length, 2, 'no time has passed, and no rate can be told');
});

t.test('of 201 requests one that was slow is neither half of them nor one in a hundred', async (t) => {
  const history = new DiskHistory();
  const latencies = new LatencyHistogram();
  history.take(1000, latencies.counts(), disk);
  const add = (count: number, seconds: number): void => {
    for (; count > 0; count--) latencies.add(seconds);
  };
  add(200, 0.001);
  add(1, 5);
  history.take(1001, latencies.counts(), disk);
  const { p50Seconds, p99Seconds } = history.last;
  t.ok(p50Seconds !== null && p50Seconds < 0.0012, String(p50Seconds));
  t.equal(p99Seconds, p50Seconds);
  add(97, 0.001);
  add(3, 5);
  history.take(1002, latencies.counts(), disk);
  t.ok((history.last.p50Seconds ?? 1) < 0.0012);
  t.ok((history.last.p99Seconds ?? 0) > 4, 'three of a hundred are');
});

t.test('the last ten minutes are kept, the oldest second first', async (t) => {
  const history = new DiskHistory();
  const counts = new LatencyHistogram().counts();
  const seconds = HISTORY_SECONDS + 50;
  for (let second = 0; second <= seconds; second++) {
    history.take(second, counts, after((second * (second + 1)) / 2));
  }
  const { minor, at, columns } = history.history(3);
  t.equal(minor, 3);
  const expected = Array.from(
    { length: HISTORY_SECONDS },
    (_, index) => seconds - HISTORY_SECONDS + 1 + index,
  );
  t.same(at, expected);
  t.same(columns.writes, expected, 'each second one write more');
  t.same(new Set(columns.p50Seconds), new Set([null]));
});

t.test('samples have four digits, and times tenths of a second', async (t) => {
  const history = new DiskHistory();
  const counts = new LatencyHistogram().counts();
  t.match(history.last, { readBytes: null, writes: null, inFlight: null, rpoSeconds: null });
  const replication = { rpoSeconds: 1.23456 } as NonNullable<VbdReport['replication']>;
  history.take(1000.34, counts, disk);
  history.take(1003.34, counts, { ...after(10_000), inFlight: 123_456, replication });
  t.match(history.last, { writes: 3333, writtenBytes: 13_650_000, inFlight: 123_456, rpoSeconds: 1.235 });
  const { at, columns } = history.history(3);
  t.same(at, [1003.3]);
  t.same(columns.inFlight, [123_500]);
  t.same(columns.writes, [3333]);
  t.same(columns.rpoSeconds, [1.235]);
});

t.test('a clock that was set back gives no sample, and no rate until it has caught up', async (t) => {
  const history = new DiskHistory();
  const counts = new LatencyHistogram().counts();
  history.take(1000, counts, disk);
  history.take(990, counts, after(10));
  t.same(history.history(3).at, []);
  history.take(1002, counts, after(20));
  t.equal(history.last.writes, 10, 'all since the last look that counted');
});
