// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ResyncProgress } from '../../../../src/replication/disk/primary/resync-progress.js';

t.test('a resync is as far as what it has brought, at the speed since it began', async (t) => {
  let now = 50;
  const progress = new ResyncProgress(() => now);
  t.equal(progress.sentBytes, 0);
  progress.begin(1000);
  t.same(progress.status(), {
    bytes: 0,
    totalBytes: 1000,
    bytesPerSecond: 0,
    secondsLeft: null,
    waitingFor: null,
  });
  now = 54;
  t.equal(progress.status().secondsLeft, null, 'nothing has come: nobody knows');
  progress.stored(100);
  progress.stored(100);
  t.match(progress.status(), { bytes: 200, totalBytes: 1000, bytesPerSecond: 50, secondsLeft: 16 });
  t.equal(progress.bytes, 200);
});

t.test('however slow it is, it has an end', async (t) => {
  let now = 0;
  const progress = new ResyncProgress(() => now);
  progress.begin(10);
  progress.stored(1);
  now = 4;
  t.match(progress.status(), { bytesPerSecond: 0.25, secondsLeft: 36 });
});

t.test('before it has begun nothing has come, and nothing is left', async (t) => {
  let now = 0;
  const progress = new ResyncProgress(() => now);
  now = 10;
  t.same(progress.status(), {
    bytes: 0,
    totalBytes: 0,
    bytesPerSecond: 0,
    secondsLeft: null,
    waitingFor: null,
  });
  progress.stored(100);
  t.equal(progress.status().bytesPerSecond, 10);
});

t.test('one that goes on counts what it had, but not in its speed', async (t) => {
  let now = 0;
  const progress = new ResyncProgress(() => now);
  progress.begin(1000);
  progress.stored(400);
  now = 10;
  progress.begin(600);
  now = 12;
  progress.stored(200);
  t.match(progress.status(), { bytes: 600, totalBytes: 1000, bytesPerSecond: 100, secondsLeft: 4 });
});

t.test('what was written meanwhile is not more than all of it', async (t) => {
  let now = 0;
  const progress = new ResyncProgress(() => now);
  progress.begin(100);
  progress.stored(150);
  now = 1;
  t.match(progress.status(), { bytes: 100, totalBytes: 100, bytesPerSecond: 150, secondsLeft: 0 });
});

t.test('a new resync begins at nothing', async (t) => {
  const progress = new ResyncProgress(() => 0);
  progress.begin(100);
  progress.stored(50);
  progress.id = 'x';
  progress.end = 7;
  progress.sentBytes = 50;
  progress.restart();
  t.same([progress.id, progress.end, progress.bytes], [null, undefined, 0]);
  t.equal(progress.sentBytes, 50, 'what all of them have sent stays');
  progress.begin(10);
  t.match(progress.status(), { bytes: 0, totalBytes: 10 });
});
