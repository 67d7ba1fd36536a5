// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Words } from '../../../../src/posix/node/file-ring/words.js';

/** Actors in one run: the submitter is actor 0, worker n is actor n + 1. */
export const ACTORS = 4;
/** No correct run of a seed takes as many. */
const MAX_STEPS = 100_000;

const RANDOM = 0;
const STEPS = 1;
const FAILURE = 2;
const MESSAGES = 3;
/** By actor: 1 when it may run. */
const GO = 16;
/** By actor: what it is blocked on: a word's index + 1, 0 for nothing, or one of those below. */
const BLOCKED = 32;
/** By actor: 1 when it is to end at its next step. */
const KILLED = 48;
/** The threshold out of 256 below which a step hands the baton on. */
const SWITCHING = 4;
const ALL_WORDS = 64;

/** The actor has no program at the moment. */
const OUT = -1;
const FOR_MESSAGE = -2;

/** Thrown in an actor that was killed, at a step. */
export class Killed extends Error {}
/** Thrown in all actors once the run has failed. */
export class Failed extends Error {}

export const failures = ['', 'nobody can go on', 'no end'] as const;

/**
 * Lets one actor of several threads run at a time, and at each atomic step decides by the seed which one that is: so a run is
 * one interleaving of atomic steps, and a seed repeats it.
 */
export class Baton {
  readonly shared: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #me: number;

  constructor(me: number, shared = new SharedArrayBuffer(ALL_WORDS * 4)) {
    this.shared = shared;
    this.#control = new Int32Array(shared);
    this.#me = me;
  }

  /** For actor 0, when all others wait: a new run. */
  reset(seed: number): void {
    this.#control.fill(0);
    this.#control[RANDOM] = seed | 1;
    this.#control[SWITCHING] = [16, 64, 128, 230][this.below(4)] as number;
    for (let actor = 1; actor < ACTORS; actor++) this.#control[BLOCKED + actor] = OUT;
  }

  get failure(): number {
    return this.#control[FAILURE] as number;
  }

  /** A whole number from 0 to `bound` - 1, of the seed's sequence. */
  below(bound: number): number {
    // xorshift32; all actors draw from one sequence, in the order of their steps.
    let x = this.#control[RANDOM] as number;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#control[RANDOM] = x;
    return (x >>> 0) % bound;
  }

  /** Before each atomic step. @throws Killed or Failed */
  step(): void {
    this.#control[STEPS] = (this.#control[STEPS] as number) + 1;
    if (this.#control[STEPS] > MAX_STEPS) this.#fail(2);
    if (this.below(256) < (this.#control[SWITCHING] as number)) this.#handOn();
    this.#check();
  }

  /** Blocks on a word until it is notified. */
  block(word: number): void {
    this.#blockOn(word + 1);
  }
  unblock(word: number): void {
    for (let actor = 0; actor < ACTORS; actor++) {
      if (this.#control[BLOCKED + actor] !== word + 1) continue;
      this.#control[BLOCKED + actor] = 0;
      return;
    }
  }

  send(): void {
    this.#control[MESSAGES] = (this.#control[MESSAGES] as number) + 1;
    if (this.#control[BLOCKED] === FOR_MESSAGE) this.#control[BLOCKED] = 0;
  }
  /** Blocks actor 0 until a message has come. */
  receive(): void {
    if (this.#control[MESSAGES] === 0) this.#blockOn(FOR_MESSAGE);
    this.#control[MESSAGES] = 0;
  }
  get hasMessage(): boolean {
    return this.#control[MESSAGES] !== 0;
  }

  /** Has an actor, which is out, start its program when it is its turn. */
  start(actor: number): void {
    this.#control[KILLED + actor] = 0;
    this.#control[BLOCKED + actor] = 0;
  }
  kill(actor: number): void {
    if (this.#control[BLOCKED + actor] === OUT) return;
    this.#control[KILLED + actor] = 1;
    this.#control[BLOCKED + actor] = 0;
  }
  isOut(actor: number): boolean {
    return this.#control[BLOCKED + actor] === OUT;
  }

  /** Whether all actors but this one are out or blocked. */
  areOthersBlocked(): boolean {
    for (let actor = 0; actor < ACTORS; actor++) {
      if (actor !== this.#me && this.#control[BLOCKED + actor] === 0) return false;
    }
    return true;
  }

  /** The actor's program has ended: waits until it is started again. */
  out(): void {
    this.#control[BLOCKED + this.#me] = OUT;
    this.#handOn();
  }

  /** An actor's thread begins: it waits for its turn. */
  awaitTurn(): void {
    const word = GO + this.#me;
    while (Atomics.compareExchange(this.#control, word, 1, 0) !== 1) Atomics.wait(this.#control, word, 0);
  }

  /** After a failure: lets every other actor run to its end, one after the other. */
  release(): void {
    for (let actor = 1; actor < ACTORS; actor++) {
      if (this.#control[BLOCKED + actor] === OUT) continue;
      this.#pass(actor);
    }
  }

  #blockOn(what: number): void {
    this.#control[BLOCKED + this.#me] = what;
    this.#handOn();
    this.#check();
  }

  #check(): void {
    if (this.failure !== 0) throw new Failed(failures[this.failure]);
    if (this.#control[KILLED + this.#me] === 1) throw new Killed();
  }

  #fail(failure: number): void {
    if (this.failure === 0) this.#control[FAILURE] = failure;
  }

  #handOn(): void {
    const runnable: number[] = [];
    for (let actor = 0; actor < ACTORS; actor++) {
      if (this.#control[BLOCKED + actor] === 0) runnable.push(actor);
    }
    if (this.failure !== 0) this.#pass(0);
    else if (runnable.length > 0) this.#pass(runnable[this.below(runnable.length)] as number);
    else {
      this.#fail(1);
      this.#pass(0);
    }
  }

  #pass(next: number): void {
    if (next === this.#me) return;
    Atomics.store(this.#control, GO + next, 1);
    Atomics.notify(this.#control, GO + next);
    this.awaitTurn();
  }
}

/** The atomic steps of a ring, each of which may hand the baton on before it is taken. */
export class SteppedWords implements Words {
  readonly #words: Words;
  readonly #baton: Baton;

  constructor(words: Words, baton: Baton) {
    this.#words = words;
    this.#baton = baton;
  }

  load(index: number): number {
    this.#baton.step();
    return this.#words.load(index);
  }
  store(index: number, value: number): void {
    this.#baton.step();
    this.#words.store(index, value);
  }
  exchange(index: number, value: number): number {
    this.#baton.step();
    return this.#words.exchange(index, value);
  }
  compareExchange(index: number, expected: number, value: number): number {
    this.#baton.step();
    return this.#words.compareExchange(index, expected, value);
  }
  wait(index: number, value: number): void {
    this.#baton.step();
    if (this.#words.load(index) === value) this.#baton.block(index);
  }
  notify(index: number): void {
    this.#baton.step();
    this.#baton.unblock(index);
  }
}
