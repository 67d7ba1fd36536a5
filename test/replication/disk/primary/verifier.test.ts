// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';
import { Verifier } from '../../../../src/replication/disk/primary/verifier.js';
import type { BackupPeer } from '../../../../src/replication/disk/sessions.js';

const EACH = 8;
const GRAIN_BYTES = EACH * 512;

/** A verifier of a disk of so many grains, whose reads and whose backup's answers a test gives. Sequences are 0, 1, and so on. */
function verifying(grains = 6, sectors = grains * EACH) {
  const reads: {
    readonly grain: number;
    readonly sectors: number;
    readonly end: (result: number) => void;
  }[] = [];
  const asked: number[] = [];
  const reported: [what: string, sector: number, sectors: number][] = [];
  const its = { peer: undefined as BackupPeer | undefined, nowSeconds: 7 };
  const compare = (sector: number): number => asked.push(sector / EACH) - 1;
  const peer = { sync: { begin: () => {}, send: () => 0, zero: () => 0, compare } } as never as BackupPeer;
  its.peer = peer;
  const sets = new Grains(grains, EACH);
  const verifier = new Verifier({
    disk: {
      sectors,
      read: (sector, buffer, done) => {
        reads.push({ grain: sector / EACH, sectors: buffer.length / 512, end: done });
      },
      write: () => {},
      zero: () => {},
      flush: () => {},
      identify: () => {},
    },
    grains: sets,
    peer: () => its.peer,
    nowSeconds: () => its.nowSeconds,
    verified: (...found) => reported.push(found),
  });
  const endReads = (result = 0): void => {
    for (const { end } of reads.splice(0)) end(result);
  };
  return { verifier, grains: sets, reads, asked, reported, its, endReads };
}

t.test('all of a disk is compared, four grains at a time, and then the end is reported', async (t) => {
  const { verifier, reads, asked, reported, endReads } = verifying(6, 5.5 * EACH);
  const ended: number[] = [];
  verifier.verifyAll((differences) => ended.push(differences));
  t.same(
    reads.map(({ grain }) => grain),
    [0, 1, 2, 3],
  );
  endReads();
  t.same([asked, reads.length], [[0, 1, 2, 3], 0], 'what is asked counts as well');
  verifier.compared(0, 'equal');
  verifier.compared(1, 'equal');
  t.same(
    reads.map(({ grain, sectors }) => [grain, sectors]),
    [
      [4, EACH],
      [5, EACH / 2],
    ],
    'the last one as far as the disk goes',
  );
  t.same(reported, [['ended', 0, 5.5 * EACH]]);
  t.equal(verifier.endedAtSeconds, 7);
  endReads();
  for (const sequence of [2, 3, 4]) verifier.compared(sequence, 'equal');
  t.same(ended, []);
  verifier.compared(5, 'equal');
  t.same(ended, [0]);
  t.same(reads, [], 'nobody wants more');
});

t.test('what differs, and what the backup cannot read, is reported and counted by its sectors', async (t) => {
  const { verifier, reported, endReads } = verifying(4);
  const ended: number[] = [];
  verifier.verifyAll((differences) => ended.push(differences));
  endReads();
  verifier.compared(0, 'different');
  verifier.compared(1, 'unreadable');
  verifier.compared(2, 'equal');
  verifier.compared(3, 'different');
  verifier.compared(3, 'different');
  verifier.compared(99, 'different');
  t.same(reported.slice(1), [
    ['difference', 0, EACH],
    ['unreadable', EACH, EACH],
    ['difference', 3 * EACH, EACH],
  ]);
  t.same([verifier.differences, verifier.unreadable, ended], [2 * EACH, EACH, [2 * EACH]]);
  t.same(verifier.takeDifferent(), [0, 3, 1]);
  t.same([verifier.differences, verifier.unreadable, verifier.takeDifferent()], [0, 0, []], 'once');
});

t.test('what is written while it is read is not asked about, and nothing else is left out', async (t) => {
  for (const [from, to, left] of [
    [0, 0, [1, 2, 3]],
    [1, 2, [0, 3]],
    [3, 9, [0, 1, 2]],
    [4, 9, [0, 1, 2, 3]],
  ] as const) {
    const { verifier, asked, endReads } = verifying(10);
    verifier.verifyAll(() => {});
    verifier.written(from, to);
    endReads();
    t.same(asked.slice(0, left.length), left);
  }
});

t.test('a grain that the backup does not have as it is now is left for the next time', async (t) => {
  const { verifier, grains, reads } = verifying(6);
  grains.toSend.add(1);
  grains.open.add(2);
  verifier.verifyAll(() => {});
  t.same(
    reads.map(({ grain }) => grain),
    [0, 3, 4, 5],
  );
});

t.test('a disk that cannot be read is no difference, and is waited for', async (t) => {
  const { verifier, asked, reported, endReads, reads } = verifying(3);
  const ended: number[] = [];
  verifier.verifyAll((differences) => ended.push(differences));
  const [last] = reads.splice(2);
  endReads(-errno.EIO);
  t.same(ended, []);
  last?.end(-errno.EIO);
  t.same([ended, asked], [[0], []]);
  t.same(reported, [['ended', 0, 3 * EACH]]);
});

t.test('so many bytes as are allowed are compared; what was not used is not saved up', async (t) => {
  const { verifier, its, reads } = verifying(100);
  const { peer } = its;
  its.peer = undefined;
  for (let second = 0; second < 10; second++) verifier.allow(2 * GRAIN_BYTES);
  its.peer = peer;
  verifier.allow(2 * GRAIN_BYTES);
  t.equal(reads.length, 2);
  verifier.allow(GRAIN_BYTES / 2);
  t.equal(reads.length, 3, 'a part of a grain allows it');
  verifier.allow(GRAIN_BYTES / 2);
  t.equal(reads.length, 3, 'and is missing the next time');
  verifier.allow(1);
  t.equal(reads.length, 4);
});

t.test(
  'a whole verification that waits starts where the continuous one is, and looks at each grain',
  async (t) => {
    const { verifier, asked, endReads, its } = verifying(4);
    verifier.allow(2 * GRAIN_BYTES);
    endReads();
    const ended: number[] = [];
    verifier.verifyAll((differences) => ended.push(differences));
    its.nowSeconds = 9;
    for (let sequence = 0; sequence < 6; sequence++) {
      t.same(ended, []);
      endReads();
      verifier.compared(sequence, 'equal');
    }
    t.same([asked, ended], [[0, 1, 2, 3, 0, 1], [0]]);
  },
);

t.test('each of two whole verifications ends once it has looked at every grain, and once only', async (t) => {
  const { verifier, asked, endReads, its } = verifying(6);
  const ended: string[] = [];
  verifier.verifyAll(() => ended.push('first'));
  endReads();
  verifier.verifyAll(() => ended.push('second'));
  for (let sequence = 0; sequence < 10; sequence++) {
    verifier.compared(sequence, 'equal');
    endReads();
    if (sequence === 4) t.same([ended, asked.length], [[], 6], 'what follows waits for the first to end');
    if (sequence === 5) t.same(ended, ['first']);
  }
  t.same(ended, ['first', 'second']);
  t.same(asked, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]);
  its.peer = undefined;
  verifier.forget();
  t.equal(ended.length, 2);
});

t.test('a whole verification of which the backup has nothing yet ends at once', async (t) => {
  const { verifier, grains, reads } = verifying(6);
  grains.toSend.addRange(0, 5);
  const ended: number[] = [];
  verifier.verifyAll((differences) => ended.push(differences));
  t.same([ended, reads], [[0], []]);
});

t.test('what a lost backup has ended does not end again with the next', async (t) => {
  const { verifier, its, endReads } = verifying(6);
  let ended = 0;
  verifier.verifyAll(() => (ended += 1));
  endReads();
  verifier.forget();
  its.peer = { ...its.peer } as BackupPeer;
  verifier.allow(100 * GRAIN_BYTES);
  endReads();
  for (let sequence = 4; sequence < 12; sequence++) {
    verifier.compared(sequence, 'equal');
    endReads();
  }
  t.equal(ended, 1);
});

t.test('nothing is compared before it is asked for, or allowed', async (t) => {
  const { verifier, reads } = verifying();
  verifier.pump();
  t.same(reads, []);
});

t.test('what a lost backup was asked is not waited for by the next', async (t) => {
  const { verifier, its, reads, endReads } = verifying(4);
  verifier.verifyAll(() => {});
  endReads();
  verifier.forget();
  its.peer = { ...its.peer } as BackupPeer;
  verifier.verifyAll(() => {});
  t.equal(reads.length, 4);
});

t.test(
  'a backup that is lost ends what waits, with what was found, and its late reads are nothing',
  async (t) => {
    const { verifier, asked, its, reads } = verifying(6);
    const ended: number[] = [];
    verifier.verifyAll((differences) => ended.push(differences));
    reads[0]?.end(0);
    verifier.compared(0, 'different');
    its.peer = undefined;
    verifier.forget();
    t.same(ended, [EACH]);
    for (const { end } of reads.slice(1)) end(0);
    verifier.compared(1, 'different');
    t.same([asked, verifier.differences, ended], [[0], EACH, [EACH]]);
  },
);

t.test('without a backup that can compare nothing is read', async (t) => {
  const { verifier, its, reads } = verifying();
  its.peer = { sync: undefined } as never;
  verifier.verifyAll(() => {});
  verifier.allow(1 << 20);
  t.same(reads, []);
});
