// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { DIRECTORY, pair, type Pair, type SideNode } from '../world.js';

const JOURNALS = [`${DIRECTORY}/journal-0`, `${DIRECTORY}/journal-1`];

/** A C primary with a backup whose journal does not become durable from now on. */
async function heldPair(t: Test): Promise<Pair> {
  const both = pair(t, { a: { peer: 'c' }, b: { peer: 'c' } });
  const { a, b, world } = both;
  await world.run(() => a.isUp && b.isUp);
  await a.write(0, 8, 1);
  await a.until('protected');
  t.ok((await a.checkpoint()) > 0);
  for (const path of JOURNALS) b.held.hold('fdatasync', path);
  return both;
}

function release({ held }: SideNode): void {
  for (const path of JOURNALS) held.release('fdatasync', path);
}

t.test(
  'Q2: a C primary hears done once its checkpoint is durable, and of an empty one not before',
  async (t) => {
    const { a, b, world } = await heldPair(t);
    await a.write(8, 8, 2);
    const done: number[] = [];
    for (let count = 0; count < 2; count++) {
      a.engine.checkpoint((result) => done.push(result));
      await world.run(0.5);
    }
    t.same(done, []);
    release(b);
    await world.run(() => done.length === 2);
    t.ok(done.every((result) => result > 0));
  },
);

t.test('Q1: failover does not commit what a C primary had left uncommitted', async (t) => {
  const { a, b, world } = await heldPair(t);
  await a.write(8, 8, 2);
  a.engine.checkpoint(() => {});
  await world.run(0.1);
  await a.write(16, 8, 3);
  await world.run(0.1);
  a.host.crash('reset');
  await world.run(0.1);
  let written: number | undefined;
  b.engine.write(1000, new Uint8Array(4096).fill(9), (result) => (written = result));
  await world.run(0.1);
  release(b);
  await world.run(() => written !== undefined);
  t.equal(written, 0, 'it is the primary now');
  t.equal((await b.read(8, 1))[0], 2, 'what it was asked to commit is there');
  t.equal((await b.read(16, 1))[0], 0, 'what was open is not');
});
