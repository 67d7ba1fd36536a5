// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BitSet } from '../../../../src/replication/disk/bit-set.js';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';

/** A grain that was written, and is in a checkpoint that was acked, and whose write was synced. */
function cleanGrain(): Grains {
  const grains = new Grains(16, 128);
  grains.begin(3, 3);
  grains.open.add(3);
  grains.end(3, 3);
  grains.close(1);
  grains.acked(1);
  grains.syncBegins()(true);
  return grains;
}

t.test('a grain is clean once its checkpoint is acknowledged and the local disk is synced', async (t) => {
  t.ok(cleanGrain().isClean(3));
});

const NOT_CLEAN: Readonly<Record<string, (grains: Grains) => void>> = {
  'has to be sent': ({ toSend }) => toSend.add(3),
  'is in a resync that is not committed': ({ inResync }) => inResync.add(3),
  'is in the open checkpoint': ({ open }) => open.add(3),
  'is in a checkpoint that is not acked': (grains) => {
    grains.open.add(3);
    grains.close(3);
    grains.acked(2);
  },
  'is in a resync that a checkpoint has which is not acked': (grains) => {
    grains.inResync.add(3);
    grains.close(2);
    grains.acked(1);
  },
  'is being written': (grains) => grains.begin(3, 3),
  'was written since the sync': (grains) => {
    grains.begin(3, 3);
    grains.end(3, 3);
  },
  'is being synced': (grains) => {
    grains.begin(3, 3);
    grains.end(3, 3);
    grains.syncBegins();
  },
  'was not synced, as the sync failed': (grains) => {
    grains.begin(3, 3);
    grains.end(3, 3);
    grains.syncBegins()(false);
  },
  'was being written when the sync began': (grains) => {
    grains.begin(3, 3);
    grains.syncBegins()(true);
    grains.begin(3, 3);
    grains.end(3, 3);
  },
  'was written to its end after the sync had begun': (grains) => {
    grains.begin(3, 3);
    const ended = grains.syncBegins();
    grains.end(3, 3);
    ended(true);
  },
  'is covered by a later sync than the one that has ended': (grains) => {
    const ended = grains.syncBegins();
    grains.begin(3, 3);
    grains.end(3, 3);
    grains.syncBegins();
    ended(true);
  },
  'was in a checkpoint that is void': (grains) => {
    grains.open.add(3);
    grains.close(2);
    grains.dropFrom(2);
  },
  'was in the open checkpoint when that was given up': (grains) => {
    grains.open.add(3);
    grains.dropFrom(5);
  },
};

for (const [what, make] of Object.entries(NOT_CLEAN)) {
  t.test(`a grain is not clean that ${what}`, async (t) => {
    const grains = cleanGrain();
    make(grains);
    t.notOk(grains.isClean(3));
    t.ok(grains.isClean(4), 'others are');
  });
}

t.test('a range of sectors is in the grains from its first sector to its last', async (t) => {
  const grains = new Grains(16, 128);
  t.same([grains.first(0), grains.first(127), grains.first(128)], [0, 0, 1]);
  t.same([grains.last(0, 128), grains.last(0, 129), grains.last(127, 1), grains.last(127, 2)], [0, 1, 0, 1]);
});

t.test('a grain is under way until each of its writes has ended', async (t) => {
  const grains = new Grains(16, 128);
  grains.begin(3, 5);
  grains.begin(5, 6);
  grains.end(3, 5);
  t.same(
    [2, 3, 4, 5, 6, 7].map((grain) => grains.isUnderWay(grain)),
    [false, false, false, true, true, false],
  );
  grains.end(5, 6);
  t.notOk(grains.isUnderWay(5));
  t.ok(grains.isAtBackup(5), 'the backup lacks nothing of it');
  t.notOk(grains.isClean(5), 'but it was not synced');
});

t.test('a resync has to bring what is to be sent and what it has brought, each once', async (t) => {
  const grains = new Grains(16, 128);
  grains.toSend.addAll([1, 2]);
  grains.inResync.addAll([2, 3, 4]);
  t.equal(grains.resyncing, 4);
});

t.test('after a lost connection all is sent again; what may be committed is asked about first', async (t) => {
  const grains = new Grains(16, 128);
  grains.open.addAll([1, 2]);
  grains.close(1);
  grains.open.addAll([3, 4]);
  grains.close(2);
  grains.open.addAll([2, 5]);
  grains.disconnected();
  t.same(
    [[...grains.toSend], [...grains.toAsk]],
    [
      [1, 2, 3, 4, 5],
      [1, 3, 4],
    ],
  );
  t.same([grains.open.count, grains.committing], [0, []]);
});

t.test('what the backup may lack is counted, and is no more than there is', async (t) => {
  const grains = new Grains(4, 128);
  t.equal(grains.dirty, 0);
  grains.toSend.add(0);
  grains.open.add(1);
  t.same([grains.dirty, grains.dirtyBytes], [2, 2 * 128 * 512]);
  grains.copying.add(2);
  t.equal(grains.dirty, 3, 'one that is being read or compared is not at the backup yet');
  grains.copying.delete(2);
  grains.close(1);
  grains.inResync.add(2);
  t.equal(grains.dirty, 3);
  grains.open.add(1);
  t.equal(grains.dirty, 4, 'a grain in two sets counts twice');
  grains.open.add(2);
  t.equal(grains.dirty, 4);
});

t.test('what is acked is at the backup, up to that epoch', async (t) => {
  const grains = new Grains(16, 128);
  for (const epoch of [1, 2, 3]) {
    grains.open.add(epoch);
    grains.close(epoch);
  }
  grains.acked(2);
  t.same(
    grains.committing.map(({ epoch }) => epoch),
    [3],
  );
  t.same([grains.isAtBackup(2), grains.isAtBackup(3)], [true, false]);
});

t.test('checkpoints from an epoch on are sent again, the earlier ones are not', async (t) => {
  const grains = new Grains(16, 128);
  for (const epoch of [1, 2, 3]) {
    grains.open.add(epoch);
    grains.close(epoch);
  }
  grains.open.add(9);
  grains.dropFrom(2);
  t.same([...grains.toSend], [2, 3, 9]);
  t.same([grains.open.count, grains.committing.map(({ epoch }) => epoch)], [0, [1]]);
});

t.test('what the backup lacks may be sent as a part of the open checkpoint', async (t) => {
  const grains = new Grains(16, 128);
  grains.toSend.addAll([4, 7]);
  grains.open.add(1);
  grains.sent();
  t.same([[...grains.open], grains.toSend.count], [[1, 4, 7], 0]);
});

t.test(
  'of a resync that goes on, what the backup has lost is sent again; of another one it is asked',
  async (t) => {
    const begun = (goesOn: boolean): Grains => {
      const grains = new Grains(20, 128);
      for (const grain of [1, 2]) grains.resent(grain);
      for (const grain of [3, 4]) grains.foundEqual(grain);
      const received = new BitSet(20);
      for (const grain of [2, 4, 9]) received.add(grain);
      grains.begun(received, goesOn);
      return grains;
    };
    const same = begun(true);
    t.same([[...same.toSend], [...same.toAsk], [...same.inResync]], [[1], [], [2, 3, 4]]);
    const other = begun(false);
    t.same(
      [[...other.toSend], [...other.toAsk]],
      [
        [2, 4, 9],
        [2, 4, 9],
      ],
    );
  },
);

t.test(
  'what a resync that is dropped had sent is sent again, and what was equal is asked about',
  async (t) => {
    const grains = new Grains(20, 128);
    for (const grain of [1, 2]) grains.resent(grain);
    for (const grain of [2, 3, 4]) grains.foundEqual(grain);
    grains.resent(4);
    grains.dropResync();
    t.same([[...grains.toSend], [...grains.toAsk], grains.inResync.count], [[1, 2, 3, 4], [2, 3], 0]);
    grains.toAsk.clear();
    grains.dropResync();
    t.equal(grains.toAsk.count, 0, 'once');
  },
);

t.test('what was equal to what the backup’s file had is sent again once the file has lost it', async (t) => {
  const grains = new Grains(20, 128);
  const received = new BitSet(20);
  received.addAll([5, 6]);
  grains.begun(received, false);
  grains.toSend.clear();
  for (const grain of [5, 6, 7]) grains.foundEqual(grain);
  const left = new BitSet(20);
  left.add(6);
  grains.begun(left, true);
  t.same([[...grains.toSend], [...grains.inResync]], [[5], [6, 7]]);
});

t.test('a resync that was committed leaves nothing to the next one', async (t) => {
  const grains = new Grains(20, 128);
  const received = new BitSet(20);
  received.add(5);
  grains.begun(received, false);
  grains.toAsk.clear();
  grains.foundEqual(5);
  grains.foundEqual(6);
  grains.close(1);
  t.same([...grains.inResync], []);
  grains.foundEqual(5);
  grains.dropResync();
  t.same([...grains.toAsk], [5], 'no file has it now');
});

t.test('what the backup’s file has of a resync is a part of it, though it is equal', async (t) => {
  const grains = new Grains(20, 128);
  const received = new BitSet(20);
  received.add(5);
  grains.begun(received, false);
  grains.foundEqual(5);
  grains.foundEqual(6);
  grains.dropResync();
  t.same([...grains.toAsk], [5, 6]);
  grains.toAsk.clear();
  grains.begun(received, false);
  grains.toAsk.clear();
  grains.foundEqual(5);
  grains.dropResync();
  t.same([...grains.toAsk], [], 'it is lost with the file');
});

t.test('the first checkpoint of the largest disk takes two bytes of memory a grain at most', async (t) => {
  const grains = new Grains(2 ** 24, 128);
  grains.inResync.fill();
  const before = process.memoryUsage();
  grains.close(1);
  const after = process.memoryUsage();
  t.equal(grains.committing[0]?.grains.count, 2 ** 24);
  const taken = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  t.ok(taken < 2 * 2 ** 24, `${taken} bytes`);
});
