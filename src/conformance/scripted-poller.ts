// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { EXCEPTIONAL, READABLE, WRITABLE } from '../posix/poller.js';
import type { Interest, Poller, ReadyDescriptor } from '../posix/poller.js';
import { scriptedErrno } from './error-names.js';
import type { ScriptedClock } from './scripted-clock.js';
import type { SelectScript, TraceEntry } from './vector.js';

/** Makes select's answer of what is asked for. */
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
  /** What was told by setInterest; undefined as long as nothing was, as by a scheduler that collects its sets per wait. */
  #told: Map<number, number> | undefined;
  readonly #timeoutOf: (seconds: number) => number;
  #answers: Answer[] = [];
  /** What answers when there are no more. */
  #further: Answer | undefined;

  /** @param timeoutOf makes the timeout in a trace of select's seconds */
  constructor(
    clock: ScriptedClock,
    record: (entry: TraceEntry) => void,
    timeoutOf: (seconds: number) => number = (seconds) => seconds,
  ) {
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
  select(interest: Interest, timeoutSeconds: number): Promise<readonly ReadyDescriptor[] | number> {
    const answer = this.#answers.shift() ?? this.#further;
    if (answer === undefined) throw new Error('select was called without a wait, or twice in one');
    const read = interest.descriptors(READABLE);
    const write = interest.descriptors(WRITABLE);
    const except = interest.descriptors(EXCEPTIONAL);
    this.#record([
      'select',
      { nfds: interest.nfds, read, write, except, timeout: this.#timeoutOf(timeoutSeconds) },
    ]);
    this.#checkTold(interest, [...read, ...write, ...except]);
    const script = typeof answer === 'function' ? answer(interest) : answer;
    this.#clock.elapse(script.elapse ?? 0);
    if (script.errno !== undefined) return Promise.resolve(-(scriptedErrno(script.errno) ?? 0));
    return Promise.resolve(readyDescriptors(script, interest));
  }

  setInterest(fd: number, conditions: number): void {
    this.#told ??= new Map();
    this.#told.set(fd, conditions);
  }

  shorten(): void {}

  badDescriptors(): number[] {
    return [];
  }

  close(): void {
    this.#told?.clear();
  }

  /** What was told as it changed must be what is asked for in the end: a real poller relies on the former. */
  #checkTold(interest: Interest, asked: readonly number[]): void {
    if (this.#told === undefined) return;
    for (const fd of new Set([...asked, ...this.#told.keys()])) {
      const told = this.#told.get(fd) ?? 0;
      const wanted = interest.conditions(fd);
      if (told !== wanted)
        throw new Error(`descriptor ${fd}: conditions ${told} were told, ${wanted} are asked for`);
    }
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
