// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { EdgeOrder } from '../../src/disks/edge-order.js';
import type { SectorRange } from '../../src/disks/index.js';
import { Random } from '../../src/testing/index.js';
import { randomSeed } from '../random.js';

/** One change, in the order of asking. */
interface Change {
  readonly name: string;
  readonly range: SectorRange;
  readonly isEdge: boolean;
  state: 'waiting' | 'started' | 'ended';
}

/** Changes, and the names of those that have started. */
function ordered() {
  const order = new EdgeOrder();
  const changes: Change[] = [];
  const started: string[] = [];
  const begin = (sector: number, sectors: number, isEdge: boolean): Change => {
    const name = `${isEdge ? 'edge' : 'change'} ${changes.length}: ${sector}+${sectors}`;
    const change: Change = { name, range: { sector, sectors }, isEdge, state: 'waiting' };
    changes.push(change);
    order.begin(change.range, isEdge, () => {
      change.state = 'started';
      started.push(name);
    });
    return change;
  };
  const end = (change: Change): void => {
    change.state = 'ended';
    order.end(change.range);
  };
  return { changes, started, begin, end };
}

const conflict = (one: Change, other: Change): boolean =>
  (one.isEdge || other.isEdge) &&
  one.range.sector < other.range.sector + other.range.sectors &&
  other.range.sector < one.range.sector + one.range.sectors;

t.test(
  'a change waits for an edge of one of its sectors, and an edge for every change of its own',
  async (t) => {
    const { begin, end } = ordered();
    const edge = begin(4, 1, true);
    const around = begin(3, 3, false);
    const before = begin(2, 2, false);
    const after = begin(5, 2, false);
    t.same(
      [edge, around, before, after].map(({ state }) => state),
      ['started', 'waiting', 'started', 'started'],
    );
    const next = begin(5, 1, true);
    end(edge);
    t.equal(around.state, 'started');
    t.equal(next.state, 'waiting', 'for both changes of its sector');
    end(after);
    t.equal(next.state, 'waiting');
    end(around);
    t.equal(next.state, 'started');
  },
);

t.test('changes of whole sectors do not wait for each other', async (t) => {
  const { begin } = ordered();
  t.equal(begin(0, 8, false).state, 'started');
  t.equal(begin(4, 8, false).state, 'started');
});

t.test(
  'a change that comes after an edge that waits does so too, and those that end let each go in order',
  async (t) => {
    const { begin, end, started } = ordered();
    const first = begin(0, 4, false);
    const edge = begin(1, 1, true);
    const second = begin(1, 4, false);
    t.equal(second.state, 'waiting');
    end(first);
    t.same(started, [first.name, edge.name]);
    end(edge);
    t.same(started, [first.name, edge.name, second.name]);
  },
);

t.test('at random, each starts when no earlier one that it conflicts with is left', async (t) => {
  const random = new Random(randomSeed(t));
  for (let round = 0; round < 100; round++) {
    const { changes, begin, end } = ordered();
    for (let step = 0; step < 40; step++) {
      const running = changes.filter(({ state }) => state === 'started');
      if (running.length > 0 && random.chance(0.4)) end(random.pick(running));
      else if (random.chance(0.5)) begin(random.integer(0, 9), 1, true);
      else begin(random.integer(0, 9), random.integer(1, 4), false);
      for (const [index, change] of changes.entries()) {
        const isHeldUp = changes
          .slice(0, index)
          .some((earlier) => earlier.state !== 'ended' && conflict(earlier, change));
        if ((change.state === 'waiting') !== (isHeldUp && change.state !== 'ended')) {
          t.fail(`round ${round}, step ${step}: ${change.name} is ${change.state}`);
          return;
        }
      }
    }
  }
  t.pass('none starts sooner or later');
});
