// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import type { Done } from '../../../../src/replication/disk/local-disk.js';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';
import { HotGrains } from '../../../../src/replication/disk/primary/hot-grains.js';
import { RaisedWrites } from '../../../../src/replication/disk/primary/raised-writes.js';

const EACH = 8;

/** Writes over a map of which a test says what is durable, and ends what is raised. Places are in grains. */
function raising(grainCount = 16, sectors = grainCount * EACH, hot = new HotGrains(4)) {
  const durable = new Set<number>();
  const raised: { readonly from: number; readonly to: number; readonly done: Done }[] = [];
  const gone: number[] = [];
  const ended: string[] = [];
  const failures: string[] = [];
  const grains = new Grains(grainCount, EACH);
  const parts = {
    map: {
      has: (from: number, to: number) =>
        Array.from({ length: to - from + 1 }, (_, index) => from + index).every((grain) =>
          durable.has(grain),
        ),
      raise: (from: number, to: number, done: Done) => raised.push({ from, to, done }),
    },
    disk: { sectors },
    events: { failed: (what: string, result: number) => failures.push(`${what}: ${result}`) },
  };
  const writes = new RaisedWrites(parts as never, grains, hot, ({ sector }) => gone.push(sector / EACH));
  const write = (from: number, count = 1): void =>
    writes.add({
      sector: from * EACH,
      sectors: count * EACH,
      bytes: undefined,
      done: (result) => ended.push(`${from}: ${result}`),
    });
  return { durable, raised, gone, ended, failures, grains, write };
}

t.test('a write goes at once where the map has it durably, and else once it does', async (t) => {
  const { durable, raised, gone, grains, write } = raising();
  durable.add(3);
  write(3);
  write(5, 2);
  t.same([gone, raised.length], [[3], 1]);
  t.same([raised[0]?.from, [3, 5, 6].every((grain) => grains.isUnderWay(grain))], [5, true]);
  raised[0]?.done(0);
  t.same(gone, [3, 5]);
});

t.test('after a write whose bits cannot be raised those go that waited for it', async (t) => {
  const { durable, raised, gone, ended, failures, grains, write } = raising();
  durable.add(4);
  write(4, 2);
  write(4);
  t.same(gone, [], 'the second waits for the first');
  raised[0]?.done(-errno.EIO);
  t.same([gone, ended], [[4], [`4: ${-errno.EIO}`]]);
  t.same(failures, [`write the map: ${-errno.EIO}`]);
  t.same([grains.isUnderWay(4), grains.isUnderWay(5)], [true, false], 'the second is');
});

t.test('no grain after the disk is raised ahead, but the last one is, whatever is in it', async (t) => {
  for (const sectors of [9 * EACH + 1, 10 * EACH]) {
    const { raised, write } = raising(10, sectors);
    for (let grain = 0; grain < 10; grain++) write(grain);
    t.equal(Math.max(...raised.map(({ to }) => to)), 9);
  }
});

t.test(
  'grains that are raised ahead of a stream are hot, those of the write itself are not yet',
  async (t) => {
    const touched: number[] = [];
    const asked: [from: number, to: number][] = [];
    const hot = {
      ahead: (from: number, to: number) => {
        asked.push([from, to]);
        return 3;
      },
      touch: (grain: number) => touched.push(grain),
    };
    const { raised, write } = raising(16, undefined, hot as never);
    write(4, 2);
    t.match(raised, [{ from: 4, to: 8 }]);
    t.same([asked, touched], [[[4, 5]], [6, 7, 8]]);
  },
);
