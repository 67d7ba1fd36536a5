// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import {
  Checkpoints,
  type EndedCheckpoint,
  MAX_COMMITTING,
} from '../../../../src/replication/disk/primary/checkpoints.js';

function checkpoints() {
  const clock = { now: 10 };
  const ended: EndedCheckpoint[] = [];
  const its = new Checkpoints({ nowSeconds: () => clock.now, onEnd: (one) => ended.push(one) });
  const results: [string, number][] = [];
  const want = (who: string): void => its.want((result) => results.push([who, result]));
  return { its, clock, ended, results, want };
}

t.test('who asks for a checkpoint waits for one that is closed later, and gets its epoch', async (t) => {
  const { its, results, want } = checkpoints();
  t.notOk(its.isRequested);
  want('a');
  t.ok(its.isRequested);
  its.close(1);
  t.notOk(its.isRequested);
  want('b');
  its.acked(1);
  t.same(results, [['a', 1]]);
  its.close(2);
  its.close(3);
  its.acked(3);
  t.same(results, [
    ['a', 1],
    ['b', 2],
  ]);
  t.same([its.count, its.failed, its.committing], [3, 0, 0]);
});

t.test('what was written belongs to the checkpoint that is closed next', async (t) => {
  const { its, clock, ended } = checkpoints();
  its.wrote(512);
  its.wrote(1024);
  t.equal(its.openBytes, 1536);
  its.close(1);
  t.equal(its.openBytes, 0);
  its.wrote(5);
  clock.now = 12;
  its.close(2);
  clock.now = 15;
  t.equal(its.ackedAtSeconds, undefined);
  its.acked(1);
  t.equal(its.ackedAtSeconds, 10, 'what the backup has was the disk when it was closed');
  its.acked(2);
  t.same(ended, [
    { epoch: 1, seconds: 5, bytes: 1536, failure: null },
    { epoch: 2, seconds: 3, bytes: 5, failure: null },
  ]);
  t.equal(its.ackedAtSeconds, 12);
});

t.test('a clock that was set back makes no time below 0', async (t) => {
  const { its, clock, ended } = checkpoints();
  its.close(1);
  its.close(2);
  clock.now = 5;
  its.acked(1);
  its.dropFrom(2, 'lost');
  t.same(
    ended.map(({ seconds }) => seconds),
    [0, 0],
  );
});

t.test('those from an epoch on may be void, and the open one is then', async (t) => {
  const { its, clock, ended, results, want } = checkpoints();
  for (const epoch of [1, 2, 3]) {
    want(`${epoch}`);
    its.wrote(epoch);
    its.close(epoch);
  }
  want('later');
  its.wrote(9);
  clock.now = 11;
  its.dropFrom(2, 'no room');
  t.same(ended, [
    { epoch: 2, seconds: 1, bytes: 2, failure: 'no room' },
    { epoch: 3, seconds: 1, bytes: 3, failure: 'no room' },
  ]);
  t.same(results, [
    ['2', -errno.ECONNABORTED],
    ['3', -errno.ECONNABORTED],
  ]);
  t.same([its.openBytes, its.committing, its.failed, its.isRequested], [0, 1, 2, true]);
  its.acked(1);
  its.close(4);
  its.acked(4);
  t.same(results.slice(2), [
    ['1', 1],
    ['later', 4],
  ]);
});

t.test('nobody waits any more after a refusal', async (t) => {
  const { its, results, want } = checkpoints();
  want('a');
  want('b');
  its.refuse(-5);
  t.same(results, [
    ['a', -5],
    ['b', -5],
  ]);
  t.notOk(its.isRequested);
  its.close(1);
  its.acked(1);
  t.equal(results.length, 2);
});

t.test('16 may be on their way, and none is closed while another one is', async (t) => {
  const { its } = checkpoints();
  t.equal(MAX_COMMITTING, 16);
  for (let epoch = 1; epoch <= 16; epoch++) {
    t.ok(its.mayClose);
    its.close(epoch);
  }
  t.notOk(its.mayClose);
  its.acked(1);
  t.ok(its.mayClose);
  its.isClosing = true;
  t.notOk(its.mayClose);
});
