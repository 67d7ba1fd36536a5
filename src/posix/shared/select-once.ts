// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { EXCEPTIONAL, type Poller, READABLE, type Selected, WRITABLE } from '../poller.js';
import type { SelectSets } from '../posix.js';

/** One select on a poller of its own, which is closed then: costs what it asks for, unlike a poller that is kept. */
export async function selectOnce(
  poller: Poller,
  sets: SelectSets,
  timeoutSeconds: number,
): Promise<Required<SelectSets> | number> {
  const asked = new Map<number, number>();
  const ask = (numbers: readonly number[] | undefined, condition: number): void => {
    for (const fd of numbers ?? []) asked.set(fd, (asked.get(fd) ?? 0) | condition);
  };
  ask(sets.read, READABLE);
  ask(sets.write, WRITABLE);
  ask(sets.except, EXCEPTIONAL);
  for (const [fd, conditions] of asked) poller.setInterest(fd, conditions);
  const selected = await selectPromise(poller, timeoutSeconds);
  poller.close();
  if (typeof selected === 'number') return selected;
  const ready = (condition: number): number[] =>
    selected.filter(({ conditions }) => (conditions & condition) !== 0).map(({ fd }) => fd);
  return { read: ready(READABLE), write: ready(WRITABLE), except: ready(EXCEPTIONAL) };
}

/**
 * A poller's select as a promise.
 *
 * @throws (rejects with) what the poller throws
 */
export function selectPromise(poller: Poller, timeoutSeconds: number): Promise<Selected> {
  return new Promise((resolve) => {
    poller.select(timeoutSeconds, resolve);
  });
}
