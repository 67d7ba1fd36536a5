// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// An old primary is written to while the two sides find out that the other one was promoted.

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { standing } from './own/hand-peer.js';
import { acceptOwn, calling } from './own/one-side.js';
import { DIRECTORY, pair } from './world.js';

const MAP = `${DIRECTORY}/map`;

/** An old primary that is about to be restarted, and a backup that was promoted meanwhile. */
async function promotedMeanwhile(t: Parameters<typeof pair>[0]) {
  const sides = pair(t, { a: { hotGrains: 1 } });
  const { a, b, world } = sides;
  await a.until('protected');
  await a.write(8, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  a.host.crash('reset');
  await world.run(() => b.engine.status().peerAddress === null);
  t.match(await b.command((done) => b.engine.promote({}, done)), { result: 0 });
  return sides;
}

t.test('a side that was written to after it had said what it has is no stale one', async (t) => {
  const { world, primary, peer } = await calling();
  peer.hello(standing('backup'));
  await peer.next('commit');
  peer.numbers('done', 1);
  await primary.until('protected');
  const { generation, diskId } = primary.engine.status();
  peer.close();
  await primary.until('unprotected');
  const promoted = await acceptOwn(world);
  await promoted.next('hello');
  t.equal(await primary.write(8, 8, 2), 0);
  t.not(primary.engine.status().generation, generation);
  // It was promoted and written to.
  const line = [
    { generation: 'b'.repeat(16), low: 1, high: 1 },
    { generation: generation as string, low: 1, high: 1 },
  ];
  promoted.hello(standing('primary', { diskId, line }));
  await world.run(() => primary.engine.status().state !== 'unprotected');
  t.equal(primary.engine.status().state, 'split-brain', 'what it has written would be lost');
  const outcome = await primary.command((done) => primary.engine.rejoin({}, done));
  t.match(outcome, { result: -errno.EINVAL });
});

t.test('a write that was taken before a side is found to be stale is refused, and not made', async (t) => {
  const { a, world } = await promotedMeanwhile(t);
  a.host.restart();
  await world.complete(a.opened);
  a.held.hold('fdatasync', MAP);
  const results: number[] = [];
  a.engine.write(20 * 128, new Uint8Array(4096).fill(2), (result) => results.push(result));
  await a.until('stale');
  t.same(results, [], 'it waits for its bit');
  const { generation } = a.engine.status();
  a.held.release('fdatasync', MAP);
  await world.run(() => results.length > 0);
  t.same(results, [-errno.EROFS]);
  t.equal(a.image()[20 * 128 * 512], 0);
  t.match(a.engine.status(), { state: 'stale', generation });
});
