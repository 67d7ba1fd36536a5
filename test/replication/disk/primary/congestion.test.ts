// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A backup that cannot keep up, on a pair of sides.

import t from 'tap';
import { pair, type SideNode } from '../world.js';

const CHUNK_SECTORS = 2048;

/** How often the state of a side became `catching-up`. */
function lapses({ events }: SideNode): number {
  return events.filter((event) => event.kind === 'state' && event.to === 'catching-up').length;
}

t.test(
  'checkpoints that are too large for the journal do not change the state again and again',
  async (t) => {
    const { a, b, world } = pair(t);
    await a.until('protected');
    const before = lapses(a);
    // Within 36 s the disk is overwritten 12 times, without a checkpoint; the journal has room for less than two.
    for (let round = 1; round <= 12; round++) {
      for (const sector of [0, CHUNK_SECTORS]) await a.write(sector, CHUNK_SECTORS, round);
      await world.run(3);
    }
    t.ok(lapses(a) - before >= 1, 'it could not keep up');
    t.ok(lapses(a) - before <= 2, `it went back ${lapses(a) - before} times`);
    await a.until('protected', 90);
    t.ok((await a.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()));
  },
);
