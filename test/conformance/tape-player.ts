// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Interest } from '../../src/conformance/interest.js';
import { EXCEPTIONAL, type Poller, READABLE, type SelectDone, WRITABLE } from '../../src/posix/poller.js';
import type { Played } from './tapes.js';

/** The events of a program. */
export type Label = 'a' | 'b' | 'c';
export const LABELS: readonly Label[] = ['a', 'b', 'c'];

/** The descriptors that these events are on. */
export const DESCRIPTORS: readonly number[] = [3, 4];

/** Where the tape ran out: in a callback or not, and which events were registered. */
export interface End {
  readonly inCallback: boolean;
  readonly registered: readonly Label[];
}

/** What a callback throws: the wait ends with it, and the scheduler is as whole as after any other callback. */
export const thrown = new Error('thrown by a callback');
const CONDITIONS = [READABLE, WRITABLE, EXCEPTIONAL] as const;

/** One run of a tape, and the poller of its scheduler. */
export abstract class TapePlayer<Operation> implements Poller {
  protected trace = '';
  /** The events that are registered. */
  protected readonly ids = new Map<Label, number>();
  protected readonly interest = new Interest();
  readonly #tape: readonly Operation[];
  #position = 0;
  #end: End | undefined;

  constructor(tape: readonly Operation[]) {
    this.#tape = tape;
  }

  /** Does an operation; a promise if it is a wait. */
  protected abstract act(operation: Operation): void | Promise<void>;

  /** What follows the tape: a wait with everything ready, after a while. */
  protected abstract finish(): Promise<void>;

  abstract select(timeoutSeconds: number, done: SelectDone): void;

  async play(): Promise<Played<End>> {
    for (let operation = this.next(false); operation !== undefined; operation = this.next(false)) {
      const waiting = this.act(operation);
      if (waiting) await waiting;
    }
    await this.finish();
    return { trace: this.trace, end: this.#end as End };
  }

  protected next(inCallback: boolean): Operation | undefined {
    if (this.#position === this.#tape.length) this.#end ??= { inCallback, registered: [...this.ids.keys()] };
    return this.#tape[this.#position++];
  }

  protected registered(label: Label, id: number): void {
    this.trace += `${label} is ${id}\n`;
    this.ids.set(label, id);
  }

  protected async waitOn(scheduler: { waitForEvents(): Promise<number> }): Promise<void> {
    try {
      // The trace grows while this is awaited.
      const answer = await scheduler.waitForEvents();
      this.trace += `wait ${answer}\n`;
    } catch (error) {
      if (error !== thrown) throw error;
      this.trace += 'wait threw\n';
    }
  }

  /** @param least what stands for the highest descriptor where there is none */
  protected traceSelect(timeout: number, least: number): void {
    const asked = CONDITIONS.map((condition) => this.interest.descriptors(condition).join());
    this.trace += `select ${1 + this.interest.highest(least)} ${asked.join('/')} ${timeout}\n`;
  }

  /** Answers with those of the descriptors that are asked for. */
  protected answer(descriptors: readonly number[], done: SelectDone): void {
    const ready = descriptors.map((fd) => ({ fd, conditions: this.interest.conditions(fd) }));
    queueMicrotask(() => done(ready.filter(({ conditions }) => conditions !== 0)));
  }

  setInterest(fd: number, conditions: number): void {
    this.interest.set(fd, conditions);
  }
  shorten(): void {}
  badDescriptors(): number[] {
    return [];
  }
  close(): void {}
}

/** Every set of the descriptors for which `asks` holds. */
export function readySets(asks: (fd: number) => boolean): number[][] {
  let sets: number[][] = [[]];
  for (const fd of DESCRIPTORS.filter(asks)) sets = sets.flatMap((set) => [set, [...set, fd]]);
  return sets;
}
