// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { LatencyHistogram, latencyQuantiles } from '../../src/disks/latency-histogram.js';

t.test(
  'a quantile is no less than the latency, and no more than an eighth or a microsecond more',
  async (t) => {
    const wrong: string[] = [];
    for (let microseconds = 0; microseconds < 2 ** 27; microseconds = Math.ceil(microseconds * 1.01 + 0.1)) {
      const histogram = new LatencyHistogram();
      histogram.add(microseconds / 1e6);
      const [found = NaN] = latencyQuantiles(histogram.counts(), undefined, [0.5]);
      const most = Math.max(microseconds * 1.125, microseconds + 1) / 1e6;
      if (!(found >= microseconds / 1e6 && found <= most * 1.000001))
        wrong.push(`${microseconds} us: ${found} s`);
    }
    t.same(wrong, []);
  },
);

t.test('quantiles cover what was counted between two moments', async (t) => {
  const histogram = new LatencyHistogram();
  for (let count = 0; count < 1000; count++) histogram.add(1);
  const before = histogram.counts();
  t.same(latencyQuantiles(histogram.counts(), before, [0.5]), [NaN]);
  for (let count = 0; count < 98; count++) histogram.add(0.001);
  for (let count = 0; count < 2; count++) histogram.add(0.5);
  const [p50 = 0, p99 = 0] = latencyQuantiles(histogram.counts(), before, [0.5, 0.99]);
  t.ok(p50 >= 0.001 && p50 < 0.0012, String(p50));
  t.ok(p99 >= 0.5 && p99 < 0.57, String(p99));
});

t.test('requests that take over two minutes, or no time, count too', async (t) => {
  const histogram = new LatencyHistogram();
  for (const seconds of [1e9, Infinity, 0, -1]) histogram.add(seconds);
  const [least = 0, most = 0] = latencyQuantiles(histogram.counts(), undefined, [0.25, 1]);
  t.ok(least <= 1e-6 && most > 130, `${least} ${most}`);
});

t.test('the bounds are each microsecond up to 8, and from there eight an octave', async (t) => {
  const bounds = [0, 1, 7, 8, 9, 15, 16, 17, 18, 31, 32, 1023, 1024, 2 ** 26, 2 ** 27 - 1].map(
    (microseconds) => {
      const histogram = new LatencyHistogram();
      histogram.add((microseconds + 0.01) / 1e6);
      const [bound = NaN] = latencyQuantiles(histogram.counts(), undefined, [1]);
      return Math.round(bound * 1e6);
    },
  );
  t.same(bounds, [1, 2, 8, 9, 10, 16, 18, 18, 20, 32, 36, 1024, 1152, 75_497_472, 2 ** 27]);
});

t.test('a part of what was counted is reached at the count that makes it up', async (t) => {
  const histogram = new LatencyHistogram();
  for (const microseconds of [1, 2, 3, 4]) histogram.add((microseconds + 0.5) / 1e6);
  const quantiles = latencyQuantiles(histogram.counts(), undefined, [0, 0.25, 0.26, 0.5, 0.75, 0.76, 1]);
  t.same(
    quantiles.map((seconds) => Math.round(seconds * 1e6)),
    [2, 2, 3, 3, 4, 5, 5],
  );
});
