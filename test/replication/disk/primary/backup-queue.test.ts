// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BackupQueue } from '../../../../src/replication/disk/primary/backup-queue.js';
import type { BackupPeer } from '../../../../src/replication/disk/sessions.js';

const peerWith = (queuedBytes: number, sentBytes = 0) =>
  ({ queuedBytes, sentBytes }) as unknown as BackupPeer;

t.test('a queue is full from its limit on; without a backup there is none', async (t) => {
  const queue = new BackupQueue({ queueBytes: 100, stallSeconds: 1 });
  t.same(
    [queue.isFull(peerWith(99)), queue.isFull(peerWith(100)), queue.isFull(undefined)],
    [false, true, false],
  );
});

t.test('a backup stalls that takes nothing of what waits for the stall time', async (t) => {
  const queue = new BackupQueue({ queueBytes: 100, stallSeconds: 3 });
  const peer = { queuedBytes: 5, sentBytes: 7 };
  const stalls = (): boolean => queue.stalls(peer as unknown as BackupPeer, 1);
  t.same([stalls(), stalls(), stalls(), stalls(), stalls()], [false, false, false, true, true]);
  peer.sentBytes += 1;
  t.same([stalls(), stalls(), stalls(), stalls()], [false, false, false, true], 'any byte counts');
  peer.queuedBytes = 0;
  t.same(
    [stalls(), stalls(), stalls(), stalls()],
    [false, false, false, false],
    'and nothing has to be taken',
  );
});

t.test('a single byte that waits is enough for a stall', async (t) => {
  const queue = new BackupQueue({ queueBytes: 100, stallSeconds: 1 });
  const peer = peerWith(1);
  t.same([queue.stalls(peer, 1), queue.stalls(peer, 1)], [false, true]);
});

t.test('after a congestion writes are streamed again at most once in 60 s', async (t) => {
  const queue = new BackupQueue({ queueBytes: 100, stallSeconds: 1 });
  const peer = peerWith(0);
  t.same([queue.mayStream(peer), queue.awaitsCalm(peer)], [true, false]);
  queue.resumed();
  queue.congested();
  t.ok(queue.mayStream(peer), 'the first congestion may end at once');
  queue.resumed();
  queue.stalls(undefined, 50);
  queue.congested();
  queue.stalls(peer, 9);
  t.same([queue.mayStream(peer), queue.awaitsCalm(peer)], [false, true]);
  t.notOk(queue.awaitsCalm(peerWith(1)), 'what is on its way wakes it');
  queue.stalls(peer, 1);
  t.ok(queue.mayStream(peer));
  t.notOk(queue.mayStream(peerWith(100)), 'but not while the queue is full');
  queue.resumed();
  t.same([queue.mayStream(peer), queue.awaitsCalm(peer)], [true, false]);
  queue.congested();
  t.notOk(queue.mayStream(peer), 'the time begins anew');
});

t.test('another connection begins anew', async (t) => {
  const queue = new BackupQueue({ queueBytes: 100, stallSeconds: 1 });
  const [one, other] = [peerWith(5), peerWith(5)];
  t.same(
    [queue.stalls(one, 1), queue.stalls(one, 1), queue.stalls(other, 1), queue.stalls(other, 1)],
    [false, true, false, true],
  );
});
