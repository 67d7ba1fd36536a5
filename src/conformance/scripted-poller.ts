// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  EXCEPTIONAL,
  type Poller,
  READABLE,
  type ReadyDescriptor,
  type SelectDone,
  WRITABLE,
} from '../posix/poller.js';
import { scriptedErrno } from './error-names.js';
import { Interest } from './interest.js';
import type { ScriptedClock } from './scripted-clock.js';
import type { SelectScript, TraceEntry } from './vector.js';

/** Makes select's result of what is asked for. */
export type AnswerFromInterest = (interest: Interest) => SelectScript;

type Answer = SelectScript | AnswerFromInterest;

/** A timeout in microseconds, as it was before it was divided: whole up to 2^53. */
export function inMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6);
}

/**
 * Answers select from a script: the clock moves by `elapse`, then the answer is what is listed and was asked for, or the
 * error. Each call leaves a `select` entry in the trace.
 */
export class ScriptedPoller implements Poller {
  readonly #clock: ScriptedClock;
  readonly #record: (entry: TraceEntry) => void;
  readonly #interest = new Interest();
  readonly #least: number;
  readonly #timeoutOf: (seconds: number) => number;
  #answers: Answer[] = [];
  /** What makes the result when there are no more. */
  #further: Answer | undefined;

  /**
   * @param timeoutOf makes the timeout in a trace of select's seconds
   * @param least what stands for the highest descriptor where there is none: 0 (rule W4), or -1 (rule T-W3)
   */
  constructor(
    clock: ScriptedClock,
    record: (entry: TraceEntry) => void,
    timeoutOf: (seconds: number) => number = (seconds) => seconds,
    least = 0,
  ) {
    this.#least = least;
    this.#clock = clock;
    this.#record = record;
    this.#timeoutOf = timeoutOf;
  }

  /** What the next select is answered with, and that no other may follow. */
  answerNext(answer: Answer): void {
    this.#answers = [answer];
  }

  /** What the selects of one wait are answered with, in order; past the end nothing is ready. */
  answerWait(answers: readonly Answer[]): void {
    this.#answers = [...answers];
    this.#further = {};
  }

  /** @throws Error when the script has no answer for it */
  select(timeoutSeconds: number, done: SelectDone): void {
    const answer = this.#answers.shift() ?? this.#further;
    if (answer === undefined) throw new Error('select was called without a wait, or twice in one');
    const interest = this.#interest;
    const [read, write, except] = [READABLE, WRITABLE, EXCEPTIONAL].map((condition) =>
      interest.descriptors(condition),
    ) as [number[], number[], number[]];
    const nfds = 1 + interest.highest(this.#least);
    this.#record(['select', { nfds, read, write, except, timeout: this.#timeoutOf(timeoutSeconds) }]);
    const script = typeof answer === 'function' ? answer(interest) : answer;
    this.#clock.elapse(script.elapse ?? 0);
    const selected =
      script.errno === undefined ? readyDescriptors(script, interest) : -(scriptedErrno(script.errno) ?? 0);
    queueMicrotask(() => done(selected));
  }

  setInterest(fd: number, conditions: number): void {
    this.#interest.set(fd, conditions);
  }

  shorten(): void {}

  badDescriptors(): number[] {
    return [];
  }

  close(): void {
    this.#interest.clear();
  }
}

function readyDescriptors(script: SelectScript, interest: Interest): ReadyDescriptor[] {
  const ready = new Map<number, number>();
  const sets = [
    [script.read, READABLE],
    [script.write, WRITABLE],
    [script.except, EXCEPTIONAL],
  ] as const;
  for (const [descriptors, condition] of sets) {
    for (const fd of descriptors ?? []) {
      if (interest.conditions(fd) & condition) ready.set(fd, (ready.get(fd) ?? 0) | condition);
    }
  }
  return Array.from(ready, ([fd, conditions]) => ({ fd, conditions }));
}
