// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CheckpointDevice } from '../../src/daemon/checkpoint-device.js';
import { ESHUTDOWN, type Done } from '../../src/disks/index.js';
import { errno } from '../../src/posix/index.js';

/** A checkpoint of 16 sectors, each of whose bytes is its number, and what was asked of it. */
function device() {
  const calls: unknown[] = [];
  const checkpoint = new CheckpointDevice({
    epoch: 7,
    sectors: 16,
    read(sector, buffer, done) {
      calls.push(['read', sector, buffer.length]);
      buffer.fill(sector);
      done(0);
    },
    close: () => void calls.push('close'),
  });
  return { checkpoint, calls };
}

/** The result of a call that completes before it returns. */
function resultOf(call: (done: Done) => void): number | undefined {
  let result: number | undefined;
  call((ended) => {
    result = ended;
  });
  return result;
}

t.test('a checkpoint is read where it is asked for', async (t) => {
  const { checkpoint, calls } = device();
  t.match(checkpoint, { isOpen: true, readOnly: true, canDiscard: false, sizeBytes: 8192 });
  const buffer = Buffer.alloc(1024);
  t.equal(
    resultOf((done) => checkpoint.queueRead(5, buffer, done)),
    0,
  );
  t.ok(buffer.equals(Buffer.alloc(1024, 5)));
  t.same(calls, [['read', 5, 1024]]);
});

t.test('nothing of a checkpoint can be changed', async (t) => {
  const { checkpoint, calls } = device();
  const bytes = Buffer.alloc(512);
  for (const call of [
    (done: Done) => checkpoint.queueWrite(0, bytes, done),
    (done: Done) => checkpoint.discard(0, 1, done),
    (done: Done) => checkpoint.writeZeroes(0, 1, done),
  ])
    t.ok((resultOf(call) ?? 0) < 0);
  t.equal(
    resultOf((done) => checkpoint.queueWrite(0, bytes, done)),
    -errno.EROFS,
  );
  t.equal(
    resultOf((done) => checkpoint.flush(done)),
    0,
    'there is nothing to flush',
  );
  t.same(calls, []);
});

t.test('all of a checkpoint counts as data', async (t) => {
  const { checkpoint } = device();
  const told: unknown[] = [];
  checkpoint.blockStatus(2, 3, (result, extents) => told.push(result, extents));
  t.same(told, [0, [{ sectors: 3, allocated: true, zero: false }]]);
});

t.test('a closed checkpoint is let go, and is read no more', async (t) => {
  const { checkpoint, calls } = device();
  checkpoint.close();
  t.equal(checkpoint.isOpen, false);
  t.same(calls, ['close']);
  t.equal(
    resultOf((done) => checkpoint.queueRead(0, Buffer.alloc(512), done)),
    -ESHUTDOWN,
  );
});
