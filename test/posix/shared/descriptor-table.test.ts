// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/errno.js';
import { Descriptor } from '../../../src/posix/shared/descriptor.js';
import { DescriptorTable, type Slot, type Watch } from '../../../src/posix/shared/descriptor-table.js';

/** A descriptor that notes the interest in it, and is ready when the test says so. */
class NotedDescriptor extends Descriptor {
  readonly interests: number[] = [];

  describe(): string {
    return 'noted';
  }
  close(): void {}
  read(): number {
    return 0;
  }
  write(): number {
    return 0;
  }
  override interestChanged(conditions: number): void {
    this.interests.push(conditions);
  }
  becomeReady(mask: number): void {
    this.setReady(mask);
  }
}

/** A watch that counts what it is told. */
function watchOf(table: DescriptorTable, fd: number, interest: number) {
  return table.watch(fd, (slot): Watch & { readonly slot: Slot; changes: number } => ({
    slot,
    interest,
    changes: 0,
    changed() {
      this.changes += 1;
    },
  }));
}

t.test('a descriptor has what all watches of its number ask for, and each of them is told', async (t) => {
  const table = new DescriptorTable(9);
  const descriptor = new NotedDescriptor();
  const early = watchOf(table, 3, 1);
  t.equal(table.open(descriptor), 3);
  t.equal(table.get(3), descriptor);
  const late = watchOf(table, 3, 2);
  t.same(descriptor.interests.splice(0), [1, 3]);
  t.same([early.changes, late.changes], [1, 0], 'opening it is a change');
  descriptor.becomeReady(1);
  descriptor.becomeReady(1);
  t.same([early.changes, late.changes], [2, 1]);
  table.unwatch(early.slot, early);
  t.same(descriptor.interests.splice(0), [2]);
  descriptor.becomeReady(3);
  t.same([early.changes, late.changes], [2, 2]);
  table.unwatch(late.slot, late);
  t.same(descriptor.interests, [0]);
});

t.test(
  'watches stay with the number, and a descriptor that left it has nothing to do with them',
  async (t) => {
    const table = new DescriptorTable(9);
    const [first, second, third] = [new NotedDescriptor(), new NotedDescriptor(), new NotedDescriptor()];
    table.open(first);
    const watch = watchOf(table, 3, 1);
    t.equal(table.remove(3), first);
    t.equal(table.remove(3), undefined);
    t.equal(table.get(3), undefined);
    t.equal(first.place, undefined);
    first.becomeReady(1);
    t.equal(watch.changes, 1, 'that it was removed');
    t.equal(table.open(second), 3);
    t.equal(table.open(new NotedDescriptor()), 4, 'what was closed twice is free once');
    table.replace(3, third);
    t.same([second.place, third.place], [undefined, watch.slot]);
    t.same([second.interests, third.interests, watch.changes], [[1], [1], 3]);
  },
);

t.test('what is open is listed by number, and beyond the end nothing is opened', async (t) => {
  const table = new DescriptorTable(6);
  const [first, second, third, fourth] = [1, 2, 3, 4].map(() => new NotedDescriptor()) as [
    NotedDescriptor,
    NotedDescriptor,
    NotedDescriptor,
    NotedDescriptor,
  ];
  watchOf(table, 5, 1);
  for (const descriptor of [first, second, third]) table.open(descriptor);
  t.equal(table.open(fourth), -errno.EMFILE);
  t.equal(fourth.place, undefined);
  table.remove(3);
  t.equal(table.open(fourth), 3);
  table.remove(4);
  t.same(table.entries(), [
    { fd: 3, descriptor: fourth },
    { fd: 5, descriptor: third },
  ]);
});
