// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DescriptorTable } from '../shared/descriptor-table.js';
import { NodePoller } from './node-poller.js';
import { EXCEPTIONAL, READABLE, WRITABLE } from '../poller.js';
import type { SelectSets } from '../posix.js';
import type { Timers } from '../timers.js';

/** One select: costs what it asks for, unlike a poller that is kept. */
export async function selectOnce(
  table: DescriptorTable,
  timers: Timers,
  sets: SelectSets,
  timeoutSeconds: number,
): Promise<Required<SelectSets> | number> {
  const poller = new NodePoller(table, timers);
  const asked = new Map<number, number>();
  const ask = (numbers: readonly number[] | undefined, condition: number): void => {
    for (const fd of numbers ?? []) asked.set(fd, (asked.get(fd) ?? 0) | condition);
  };
  ask(sets.read, READABLE);
  ask(sets.write, WRITABLE);
  ask(sets.except, EXCEPTIONAL);
  for (const [fd, conditions] of asked) poller.setInterest(fd, conditions);
  const answer = await poller.wait(timeoutSeconds);
  poller.close();
  if (typeof answer === 'number') return answer;
  const ready = (condition: number): number[] =>
    answer.filter(({ conditions }) => (conditions & condition) !== 0).map(({ fd }) => fd);
  return { read: ready(READABLE), write: ready(WRITABLE), except: ready(EXCEPTIONAL) };
}
