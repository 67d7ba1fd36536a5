// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { EXCEPTIONAL, type Interest, type Poller, READABLE, WRITABLE } from '../posix/poller.js';
import type { SelectSets } from '../posix/posix.js';

/** One select on a poller of its own, which is closed then. */
export async function selectOnce(
  poller: Poller,
  sets: SelectSets,
  timeoutSeconds: number,
): Promise<Required<SelectSets> | number> {
  const asked = new AskedSets(sets);
  for (const [fd, conditions] of asked.byNumber) poller.setInterest(fd, conditions);
  const answer = await poller.select(asked, timeoutSeconds);
  poller.close();
  if (typeof answer === 'number') return answer;
  const ready = (condition: number): number[] =>
    answer.filter(({ conditions }) => (conditions & condition) !== 0).map(({ fd }) => fd);
  return { read: ready(READABLE), write: ready(WRITABLE), except: ready(EXCEPTIONAL) };
}

/** What is asked for in three sets, number by number. */
class AskedSets implements Interest {
  readonly byNumber = new Map<number, number>();

  constructor({ read = [], write = [], except = [] }: SelectSets) {
    const ask = (numbers: readonly number[], condition: number): void => {
      for (const fd of numbers) this.byNumber.set(fd, this.conditions(fd) | condition);
    };
    ask(read, READABLE);
    ask(write, WRITABLE);
    ask(except, EXCEPTIONAL);
  }

  get nfds(): number {
    return 1 + Math.max(0, ...this.byNumber.keys());
  }

  conditions(fd: number): number {
    return this.byNumber.get(fd) ?? 0;
  }

  descriptors(condition: number): number[] {
    return [...this.byNumber.keys()]
      .filter((fd) => (this.conditions(fd) & condition) !== 0)
      .toSorted((a, b) => a - b);
  }
}
