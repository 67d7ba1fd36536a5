// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ownScheduler, referenceScheduler } from '../../src/conformance/implementation.js';
import type { SchedulerFactory, SchedulerUnderTest } from '../../src/conformance/scheduler-under-test.js';
import { ScriptedClock } from '../../src/conformance/scripted-clock.js';
import { EXCEPTIONAL, type Poller, READABLE, type SelectDone, WRITABLE } from '../../src/posix/poller.js';
import { Interest } from '../../src/conformance/interest.js';
import {
  type EventCallback,
  POLL_EXCEPT_FD,
  POLL_READ_FD,
  POLL_WRITE_FD,
  TIMEOUT,
} from '../../src/scheduler/event.js';
import { type Exhausted, exhaustTapes, type Played } from './tapes.js';

/*
 * Every sequence of operations up to a length, on few events and descriptors.
 *
 * A sequence is one tape. The program takes operations from it; where it takes a wait, the callbacks that this wait
 * fires go on taking from the same tape, each up to a `return` or a `throw`. So registering and unregistering in callbacks are
 * in the scope like any other operation. When the tape is at its end callbacks do nothing, the program lets a second
 * pass and waits once more with everything ready.
 *
 * The alphabet: register an event, unregister an event, one of two clock steps, a wait with each set of descriptors
 * ready, return, throw. Left out, as they add no behaviour: registering what is registered and unregistering what is not
 * (the random programs do both), and readiness of descriptors that no event asks for (select never reports it).
 */

export type Label = 'a' | 'b' | 'c';
const LABELS: readonly Label[] = ['a', 'b', 'c'];

/** What the three events are, as [mode, descriptor, timeout in seconds]. */
export type World = Readonly<Record<Label, readonly [mode: number, fd: number, timeout: number]>>;

/** Three events on descriptors 3 and 4 each; the first has the most for the pass to decide. */
export const WORLDS: readonly World[] = [
  { a: [POLL_READ_FD | TIMEOUT, 3, 0], b: [POLL_READ_FD, 3, 0], c: [POLL_WRITE_FD | TIMEOUT, 4, 1] },
  { a: [POLL_READ_FD, 3, 0], b: [POLL_READ_FD, 3, 0], c: [POLL_READ_FD, 4, 0] },
  {
    a: [POLL_READ_FD | POLL_WRITE_FD, 3, 0],
    b: [POLL_WRITE_FD | POLL_EXCEPT_FD | TIMEOUT, 3, 0],
    c: [TIMEOUT, 4, -1],
  },
];

/** What a callback throws: the wait ends with it, and the scheduler is as whole as after any other callback. */
const thrown = new Error('thrown by a callback');
const CONDITIONS = [READABLE, WRITABLE, EXCEPTIONAL] as const;
const CLOCK_STEPS = [0.5, 1] as const;
const START_SECONDS = 1000.5;

type Operation =
  | { readonly kind: 'register' | 'unregister'; readonly label: Label }
  | { readonly kind: 'elapse'; readonly seconds: number }
  | { readonly kind: 'wait'; readonly ready: readonly number[] }
  | { readonly kind: 'return' | 'throw' };

/** Where the tape ran out: in a callback or not, and which events were registered. */
interface End {
  readonly inCallback: boolean;
  readonly registered: readonly Label[];
}

/** Runs one tape. The trace is text, as it is only compared. */
export function play(
  world: World,
  tape: readonly Operation[],
  create: SchedulerFactory,
): Promise<Played<End>> {
  return new Player(world, tape, create).play();
}

/** One run of a tape, and the poller of its scheduler. */
class Player implements Poller {
  readonly #clock = new ScriptedClock(START_SECONDS);
  readonly #ids = new Map<Label, number>();
  readonly #scheduler: SchedulerUnderTest;
  readonly #interest = new Interest();
  #trace = '';
  #position = 0;
  #end: End | undefined;
  #ready: readonly number[] = [];

  private readonly world: World;
  private readonly tape: readonly Operation[];

  constructor(world: World, tape: readonly Operation[], create: SchedulerFactory) {
    this.world = world;
    this.tape = tape;
    this.#scheduler = create(this, this.#clock);
  }

  async play(): Promise<Played<End>> {
    for (let operation = this.#next(false); operation !== undefined; operation = this.#next(false)) {
      if (operation.kind === 'wait') await this.#wait(operation.ready);
      else this.#act(operation);
    }
    this.#clock.elapse(1);
    await this.#wait([3, 4]);
    return { trace: this.#trace, end: this.#end as End };
  }

  #next(inCallback: boolean): Operation | undefined {
    if (this.#position === this.tape.length) this.#end ??= { inCallback, registered: [...this.#ids.keys()] };
    return this.tape[this.#position++];
  }

  #act(operation: Operation): void {
    if (operation.kind === 'elapse') this.#clock.elapse(operation.seconds);
    else if (operation.kind === 'register') this.#register(operation.label);
    else if (operation.kind === 'unregister') {
      this.#scheduler.unregisterEvent(this.#ids.get(operation.label) as number);
      this.#ids.delete(operation.label);
    }
  }

  #register(label: Label): void {
    const [mode, fd, timeout] = this.world[label];
    const id = this.#scheduler.registerEvent<Label>(mode, fd, timeout, this.#fired, label);
    this.#trace += `${label} is ${id}\n`;
    this.#ids.set(label, id);
  }

  readonly #fired: EventCallback<Label> = (id, mode, label) => {
    this.#trace += `fire ${label} ${id} ${mode}\n`;
    for (let operation = this.#next(true); operation !== undefined; operation = this.#next(true)) {
      if (operation.kind === 'return') return;
      if (operation.kind === 'throw') throw thrown;
      this.#act(operation);
    }
  };

  async #wait(ready: readonly number[]): Promise<void> {
    this.#ready = ready;
    try {
      // The trace grows while this is awaited.
      const answer = await this.#scheduler.waitForEvents();
      this.#trace += `wait ${answer}\n`;
    } catch (error) {
      if (error !== thrown) throw error;
      this.#trace += 'wait threw\n';
    }
  }

  select(timeoutSeconds: number, done: SelectDone): void {
    const interest = this.#interest;
    const asked = CONDITIONS.map((condition) => interest.descriptors(condition).join());
    this.#trace += `select ${1 + interest.highest(0)} ${asked.join('/')} ${timeoutSeconds}\n`;
    const answer = this.#ready.map((fd) => ({ fd, conditions: interest.conditions(fd) }));
    queueMicrotask(() => done(answer.filter(({ conditions }) => conditions !== 0)));
  }

  setInterest(fd: number, conditions: number): void {
    this.#interest.set(fd, conditions);
  }
  shorten(): void {}
  badDescriptors(): number[] {
    return [];
  }
  close(): void {}
}

/** The operations that can come where a tape ran out. */
function choices(world: World, { inCallback, registered }: End): Operation[] {
  const operations: Operation[] = LABELS.map((label) => ({
    kind: registered.includes(label) ? 'unregister' : 'register',
    label,
  }));
  operations.push(...CLOCK_STEPS.map((seconds) => ({ kind: 'elapse', seconds }) as const));
  if (inCallback) return [...operations, { kind: 'return' }, { kind: 'throw' }];
  const asks = (fd: number): boolean =>
    registered.some((label) => world[label][1] === fd && world[label][0] !== TIMEOUT);
  let sets: number[][] = [[]];
  for (const fd of [3, 4].filter(asks)) sets = sets.flatMap((set) => [set, [...set, fd]]);
  return [...operations, ...sets.map((ready) => ({ kind: 'wait', ready }) as const)];
}

/** Plays every tape of exactly `length` operations on both schedulers; the shorter ones are their beginnings. */
export function exhaust(
  world: World,
  length: number,
  create: SchedulerFactory = ownScheduler,
): Promise<Exhausted> {
  return exhaustTapes(length, {
    choices: (end: End) => choices(world, end),
    reference: (tape) => play(world, tape, referenceScheduler),
    actual: (tape) => play(world, tape, create),
  });
}
