// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { LATENCY_BOUNDS_SECONDS, REQUEST_KINDS } from '../../../src/server/vbd/index.js';
import { bench } from './bench.js';

t.test('statistics start at nothing', (t) => {
  const { opened } = bench(t);
  const { kinds, ...rest } = opened().statistics();
  t.strictSame(rest, { inFlight: 0, waiting: 0, retrying: 0, retries: 0 });
  t.strictSame(Object.keys(kinds), [...REQUEST_KINDS]);
  for (const kind of REQUEST_KINDS) {
    const { latencyBuckets, ...counts } = kinds[kind];
    t.strictSame(counts, { completed: 0, failed: 0, bytes: 0, latencySumSeconds: 0 });
    t.strictSame(latencyBuckets, Array(LATENCY_BOUNDS_SECONDS.length + 1).fill(0));
  }
  t.end();
});

t.test('requests are counted by kind, with their bytes if they went well', (t) => {
  const { opened, disks } = bench(t, { canDiscard: true, canZero: true });
  const vbd = opened();
  vbd.queueRead(0, Buffer.alloc(1024), () => {});
  vbd.queueRead(0, Buffer.alloc(512), () => {});
  vbd.queueWrite(0, Buffer.alloc(2048), () => {});
  vbd.discard(0, 8, () => {});
  vbd.writeZeroes(0, 16, () => {});
  vbd.flush(() => {});
  t.equal(vbd.statistics().inFlight, 6);
  disks.answer('read');
  disks.answer('read', -errno.EIO);
  disks.answer('write');
  disks.answer('discard');
  disks.answer('zeroes');
  disks.answer('flush');
  t.match(vbd.statistics().kinds, {
    read: { completed: 2, failed: 1, bytes: 1024 },
    write: { completed: 1, failed: 0, bytes: 2048 },
    discard: { completed: 1, bytes: 4096 },
    writeZeroes: { completed: 1, bytes: 8192 },
    flush: { completed: 1, bytes: 0 },
  });
  t.end();
});

t.test('latency is counted from queueing to completion, waiting included, in the bucket it fits', (t) => {
  const { opened, disks, clock } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  const latencies = [0, 0.5, 10, 11];
  for (const _ of latencies) vbd.queueRead(0, Buffer.alloc(512), () => {});
  for (const latency of latencies) {
    clock.seconds = 1_000_000_000 + latency;
    disks.answer('read');
  }
  const { latencySumSeconds, latencyBuckets } = vbd.statistics().kinds.read;
  t.equal(latencySumSeconds, 21.5);
  const expected = Array(LATENCY_BOUNDS_SECONDS.length + 1).fill(0);
  expected[0] = 1;
  expected[LATENCY_BOUNDS_SECONDS.indexOf(0.5)] = 1;
  expected[LATENCY_BOUNDS_SECONDS.indexOf(10)] = 1;
  expected[LATENCY_BOUNDS_SECONDS.length] = 1;
  t.strictSame(latencyBuckets, expected);
  t.end();
});
