// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { DescriptorMap } from '../../src/scheduler/descriptor-map.js';
import { EventList } from '../../src/scheduler/event-list.js';

t.test('a list has its events in the order in which they were appended, whichever are removed', async (t) => {
  const list = new EventList<number>();
  t.equal(list.isEmpty, true);
  const nodes = [0, 1, 2, 3, 4].map((event) => list.append(event));
  const backwards = (): number[] => {
    const events: number[] = [];
    for (let node = list.tail; node; node = node.previous) events.push(node.event);
    return events;
  };
  const left = new Set(nodes);
  for (const index of [2, 0, 4, 1, 3]) {
    t.equal(list.isEmpty, false);
    const node = nodes[index]!;
    list.remove(node);
    left.delete(node);
    const expected = [...left].map(({ event }) => event);
    t.same([...list], expected);
    t.same(backwards(), expected.toReversed());
  }
  t.equal(list.isEmpty, true);
  list.append(7);
  t.same([...list], [7]);
  t.same(backwards(), [7]);
});

t.test('an entry is made once for a number, and forgotten only where no descriptor has it', async (t) => {
  const made: number[] = [];
  const map = new DescriptorMap((fd) => {
    made.push(fd);
    return { fd };
  });
  const numbers = [3, 0, 2 ** 20 - 1, 2 ** 20, -1, 2 ** 31 - 1];
  for (const fd of numbers) {
    t.equal(map.find(fd), undefined);
    const entry = map.findOrCreate(fd);
    t.equal(entry.fd, fd);
    t.equal(map.find(fd), entry);
    t.equal(map.findOrCreate(fd), entry);
  }
  t.same(made, numbers);
  for (const fd of numbers) map.release(map.findOrCreate(fd));
  t.same(
    numbers.filter((fd) => map.find(fd) !== undefined),
    [3, 0, 2 ** 20 - 1],
  );
});
