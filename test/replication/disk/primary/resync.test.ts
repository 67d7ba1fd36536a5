// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What is reported of a resync, and what a backup that is written by hand hears of it.

import t from 'tap';
import { BitSet } from '../../../../src/replication/disk/bit-set.js';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';
import { Resync } from '../../../../src/replication/disk/primary/resync.js';
import type { BackupPeer } from '../../../../src/replication/disk/sessions.js';
import { acceptOwn, calling } from '../own/one-side.js';
import { standing } from '../own/hand-peer.js';
import { SECTORS, type SideNode } from '../world.js';

const GRAIN = 128;
const GRAIN_BYTES = GRAIN * 512;

const resyncs = ({ events }: SideNode) =>
  events.flatMap((event) => (event.kind === 'resync' ? [[event.what, event.bytes]] : []));
const reasons = ({ events }: SideNode) =>
  events.flatMap((event) => (event.kind === 'state' ? [[event.to, event.reason]] : []));

async function protectedBy() {
  const both = await calling();
  const { primary, peer } = both;
  peer.hello(standing('backup'));
  await peer.next('commit');
  peer.numbers('done', 1);
  await primary.until('protected');
  /** Meets the primary again as the backup that has its checkpoint 1. */
  const again = async () => {
    const next = await acceptOwn(both.world);
    const { diskId, generation } = primary.engine.status();
    const { ancestors } = primary.engine.state.metadata.current;
    const known = ancestors[0]?.generation ?? generation ?? '';
    const line = [{ generation: known, low: 1, high: 1 }];
    next.hello(standing('backup', { diskId, hasState: true, takesFirstSync: false, line }));
    return next;
  };
  return { ...both, again };
}

t.test(
  'a resync is reported with what it has to send as it begins, and with what it sent as it ends',
  async (t) => {
    const { primary, peer, again } = await protectedBy();
    const all = SECTORS * 512;
    t.same(resyncs(primary), [
      ['begun', all],
      ['ended', all],
    ]);
    peer.close();
    await primary.until('unprotected');
    await primary.write(5 * GRAIN, 8, 1);
    const next = await again();
    await next.next('commit');
    next.numbers('done', 2);
    await primary.until('protected');
    t.same(resyncs(primary).slice(2), [
      ['begun', GRAIN_BYTES],
      ['ended', GRAIN_BYTES],
    ]);
  },
);

t.test('one that is broken off is reported as that; a connection without one is not', async (t) => {
  const { primary, peer, again } = await protectedBy();
  peer.close();
  await primary.until('unprotected');
  t.equal(resyncs(primary).length, 2);
  await primary.write(5 * GRAIN, 8, 1);
  const next = await again();
  await next.next('syncData');
  next.close();
  await primary.until('unprotected');
  t.same(resyncs(primary).slice(2), [
    ['begun', GRAIN_BYTES],
    ['broken-off', GRAIN_BYTES],
  ]);
});

t.test('the reason of a state says whether the backup lacks anything', async (t) => {
  const { primary, peer, again } = await protectedBy();
  t.same(reasons(primary), [
    ['catching-up', 'the backup gets what it lacks'],
    ['protected', 'the backup has every checkpoint'],
  ]);
  peer.close();
  await primary.until('unprotected');
  const next = await again();
  await next.next('commit');
  next.numbers('done', 2);
  await primary.until('protected');
  t.same(reasons(primary).slice(3), [
    ['catching-up', 'the backup lacks nothing'],
    ['protected', 'the backup has every checkpoint'],
  ]);
});

t.test('checkpoints that were closed before a resync was ordered go on', async (t) => {
  const { world, primary, peer } = await protectedBy();
  const results: number[] = [];
  await primary.write(8, 8, 1);
  primary.engine.checkpoint((result) => results.push(result));
  await peer.next('commit');
  await primary.command((done) => primary.engine.resync({ full: true }, done));
  await peer.next('abort');
  await peer.next('syncBegin');
  t.same(results, []);
  peer.numbers('done', 2);
  await world.run(0.1);
  t.same(results, [2]);
  t.equal(primary.engine.status().failedCheckpoints, 0);
});

/** A resync of twenty grains of zeroes to a backup that only takes note of what it gets. */
function resyncing({ isC = false } = {}) {
  const grains = new Grains(20, GRAIN);
  const begun: [id: string, grains: number, isFirst: boolean][] = [];
  let sequence = 0;
  const sync = {
    begin: (...its: [string, number, boolean]) => begun.push(its),
    zero: () => (sequence += 1),
  };
  const peer = {
    sync: isC ? undefined : sync,
    queuedBytes: 0,
    zero: () => {},
  } as unknown as BackupPeer;
  const resync = new Resync({
    disk: {
      sectors: 20 * GRAIN,
      read: (_, buffer, done) => {
        buffer.fill(0);
        done(0);
      },
      write: () => {},
      zero: () => {},
      flush: () => {},
      identify: () => {},
    },
    grains,
    random: (bytes) => bytes.fill(0xcc),
    nowSeconds: () => 0,
    onEnded: () => {},
    onFailure: () => {},
  });
  const received = (...members: number[]): BitSet => {
    const set = new BitSet(20);
    set.addAll(members);
    return set;
  };
  return { resync, grains, peer, begun, received };
}
const ID = 'cc'.repeat(8);

t.test(
  'a first resync has every grain; one by maps what they have; a comparison asks about each',
  async (t) => {
    for (const [kind, toSend, toAsk] of [
      ['first', 20, 0],
      ['maps', 1, 0],
      ['compare', 20, 20],
    ] as const) {
      const { resync, grains, peer, begun } = resyncing();
      grains.toSend.add(4);
      resync.plan({ kind, known: null });
      t.same([grains.toSend.count, grains.toAsk.count], [toSend, toAsk], kind);
      t.equal(resync.leftBytes, toSend * GRAIN_BYTES);
      t.ok(resync.begin(peer, { kind, known: null }));
      t.same(begun, [[ID, toSend, kind === 'first']]);
      t.equal(resync.copier, undefined, 'nothing is sent before the backup has begun');
    }
  },
);

t.test('a backup that lacks nothing begins no resync, unless it has a part of one', async (t) => {
  const none = resyncing();
  none.resync.plan({ kind: 'maps', known: null });
  t.notOk(none.resync.begin(none.peer, { kind: 'maps', known: null }));
  t.same(none.begun, []);
  t.not(none.resync.copier, undefined, 'what is written from now on may have to be sent');
  const part = resyncing();
  part.resync.plan({ kind: 'maps', known: 'x' });
  t.ok(part.resync.begin(part.peer, { kind: 'maps', known: 'x' }));
  t.same(part.begun, [['x', 0, false]]);
});

t.test('the first resync of a C backup is one, though its writes are sent by themselves', async (t) => {
  const { resync, grains, peer } = resyncing({ isC: true });
  resync.plan({ kind: 'first', known: null });
  grains.sent();
  t.ok(resync.begin(peer, { kind: 'first', known: null }));
  t.not(resync.copier, undefined);
});

/** A resync of the grains 3 and 4, both of which are sent. */
function bothSent() {
  const world = resyncing();
  const { resync, grains, peer, received } = world;
  grains.toSend.addAll([3, 4]);
  resync.plan({ kind: 'maps', known: null });
  resync.begin(peer, { kind: 'maps', known: null });
  resync.begun(peer, received());
  resync.copier?.pump();
  return world;
}

t.test('a resync goes on with what it had if the backup has a part of the same one', async (t) => {
  for (const [plan, toSend, toAsk] of [
    [{ kind: 'maps', known: ID }, [9], 0],
    [{ kind: 'maps', known: 'another' }, [3, 4, 9], 0],
    [{ kind: 'maps', known: null }, [3, 4, 9], 0],
    [{ kind: 'compare', known: ID }, Array.from({ length: 20 }, (_, grain) => grain), 20],
  ] as const) {
    const { resync, grains } = bothSent();
    t.equal(resync.progress.sentBytes, 2 * GRAIN_BYTES);
    resync.copier?.progress(9);
    resync.stop();
    t.equal(resync.copier, undefined);
    grains.toSend.add(9);
    resync.plan(plan);
    t.same([[...grains.toSend], grains.toAsk.count], [toSend, toAsk], JSON.stringify(plan));
  }
});

t.test('what the backup has of a resync that this run has not begun is not known', async (t) => {
  const { resync, grains, peer, received } = resyncing();
  resync.plan({ kind: 'maps', known: ID });
  grains.inResync.add(3);
  resync.plan({ kind: 'maps', known: ID });
  t.same([...grains.toSend], [3]);
  resync.begin(peer, { kind: 'maps', known: ID });
  resync.begun(peer, received(5));
  t.same([[...grains.toSend], [...grains.toAsk]], [[3, 5], [5]]);
  const { copier } = resync;
  resync.begun(peer, received(6));
  t.equal(resync.copier, copier, 'it has begun once');
  t.notOk(grains.toSend.has(6));
});

t.test('a resync that is part of a checkpoint is over: the next one is another', async (t) => {
  const { resync, grains } = bothSent();
  t.equal(resync.progress.bytes, 0);
  resync.progress.end = 1;
  resync.close(1);
  t.same([resync.progress.id, resync.progress.bytes], [null, 2 * GRAIN_BYTES]);
  grains.toSend.add(7);
  resync.copier?.pump();
  t.equal(resync.progress.sentBytes, 3 * GRAIN_BYTES, 'all that was sent is counted');
  resync.copier?.progress(9);
  resync.stop();
  t.equal(resync.progress.end, undefined);
  resync.plan({ kind: 'maps', known: null });
  t.same([...grains.toSend], [7]);
});
