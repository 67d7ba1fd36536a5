// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { KindCounter, LATENCY_BOUNDS_SECONDS, RequestCounters } from '../../src/disks/statistics.js';
import { VbdRequest } from '../../src/disks/request.js';
import { latencyQuantiles } from '../../src/disks/latency-histogram.js';

t.test('a latency is counted in the first bucket whose bound it does not exceed', async (t) => {
  t.same(
    LATENCY_BOUNDS_SECONDS,
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  for (const [index, bound] of LATENCY_BOUNDS_SECONDS.entries()) {
    const counter = new KindCounter();
    for (const seconds of [bound, bound * 1.01, bound * 1.02]) counter.count(0, 1, seconds);
    const expected = Array<number>(17).fill(0);
    expected[index] = 1;
    expected[index + 1] = 2;
    t.same(counter.snapshot().latencyBuckets, expected, `${bound} s`);
  }
});

t.test('bytes are of requests that went well, times of all', async (t) => {
  const counter = new KindCounter();
  counter.count(0, 512, 0.5);
  counter.count(-5, 1024, 0.25);
  counter.count(0, 4096, 0);
  const { completed, failed, bytes, latencySumSeconds } = counter.snapshot();
  t.same([completed, failed, bytes, latencySumSeconds], [3, 1, 4608, 0.75]);
});

t.test('a snapshot stays as it is', async (t) => {
  const counter = new KindCounter();
  const before = counter.snapshot();
  counter.count(0, 512, 1);
  t.same(before, new KindCounter().snapshot());
});

t.test('only reads and writes count as latencies, and questions about blocks as nothing', async (t) => {
  const counters = new RequestCounters();
  const kinds = ['read', 'write', 'flush', 'discard', 'writeZeroes', 'blockStatus'] as const;
  for (const [index, kind] of kinds.entries()) {
    const request = new VbdRequest({ kind, sector: 0, sectors: 8 }, index, 100, () => {});
    counters.count(request, 0, 100 + 2 ** -(index + 1));
  }
  const snapshot = counters.snapshot();
  t.same(
    Object.entries(snapshot).map(([kind, { completed, bytes, latencySumSeconds }]) => [
      kind,
      completed,
      bytes,
      latencySumSeconds,
    ]),
    [
      ['read', 1, 4096, 0.5],
      ['write', 1, 4096, 0.25],
      ['flush', 1, 4096, 0.125],
      ['discard', 1, 4096, 0.0625],
      ['writeZeroes', 1, 4096, 0.03125],
    ],
  );
  const counts = counters.latencies.counts();
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    2,
  );
  const [least = 0, most = 0] = latencyQuantiles(counts, undefined, [0.5, 1]);
  t.ok(least >= 0.25 && least < 0.3 && most >= 0.5 && most < 0.6, `${least} ${most}`);
});
