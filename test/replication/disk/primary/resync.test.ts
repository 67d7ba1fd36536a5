// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What is reported of a resync, and what a backup that is written by hand hears of it.

import t from 'tap';
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
