// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ownScheduler, referenceScheduler } from '../../src/conformance/implementation.js';
import type { SchedulerFactory, SchedulerUnderTest } from '../../src/conformance/scheduler-under-test.js';
import { ScriptedClock } from '../../src/conformance/scripted-clock.js';
import type { SelectDone } from '../../src/posix/poller.js';
import {
  type EventCallback,
  POLL_EXCEPT_FD,
  POLL_READ_FD,
  POLL_WRITE_FD,
  TIMEOUT,
} from '../../src/scheduler/event.js';
import { DESCRIPTORS, type End, type Label, LABELS, readySets, TapePlayer, thrown } from './tape-player.js';
import { type Exhausted, exhaustTapes } from './tapes.js';

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

const CLOCK_STEPS = [0.5, 1] as const;
const START_SECONDS = 1000.5;

type Operation =
  | { readonly kind: 'register' | 'unregister'; readonly label: Label }
  | { readonly kind: 'elapse'; readonly seconds: number }
  | { readonly kind: 'wait'; readonly ready: readonly number[] }
  | { readonly kind: 'return' | 'throw' };

class Player extends TapePlayer<Operation> {
  readonly #world: World;
  readonly #clock = new ScriptedClock(START_SECONDS);
  readonly #scheduler: SchedulerUnderTest;
  #ready: readonly number[] = [];

  constructor(world: World, tape: readonly Operation[], create: SchedulerFactory) {
    super(tape);
    this.#world = world;
    this.#scheduler = create(this, this.#clock);
  }

  protected act(operation: Operation): void | Promise<void> {
    if (operation.kind === 'wait') return this.#wait(operation.ready);
    if (operation.kind === 'elapse') this.#clock.elapse(operation.seconds);
    else if (operation.kind === 'register') this.#register(operation.label);
    else if (operation.kind === 'unregister') {
      this.#scheduler.unregisterEvent(this.ids.get(operation.label) as number);
      this.ids.delete(operation.label);
    }
    return undefined;
  }

  protected finish(): Promise<void> {
    this.#clock.elapse(1);
    return this.#wait(DESCRIPTORS);
  }

  #register(label: Label): void {
    const [mode, fd, timeout] = this.#world[label];
    this.registered(label, this.#scheduler.registerEvent<Label>(mode, fd, timeout, this.#fired, label));
  }

  readonly #fired: EventCallback<Label> = (id, mode, label) => {
    this.trace += `fire ${label} ${id} ${mode}\n`;
    for (let operation = this.next(true); operation !== undefined; operation = this.next(true)) {
      if (operation.kind === 'return') return;
      if (operation.kind === 'throw') throw thrown;
      // No callback waits in this dialect: `choices` offers it none.
      void this.act(operation);
    }
  };

  #wait(ready: readonly number[]): Promise<void> {
    this.#ready = ready;
    return this.waitOn(this.#scheduler);
  }

  select(timeoutSeconds: number, done: SelectDone): void {
    this.traceSelect(timeoutSeconds, 0);
    this.answer(this.#ready, done);
  }
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
  return [...operations, ...readySets(asks).map((ready) => ({ kind: 'wait', ready }) as const)];
}

/** Plays every tape of exactly `length` operations on both schedulers; the shorter ones are their beginnings. */
export function exhaust(
  world: World,
  length: number,
  create: SchedulerFactory = ownScheduler,
): Promise<Exhausted> {
  return exhaustTapes(length, {
    choices: (end: End) => choices(world, end),
    reference: (tape) => new Player(world, tape, referenceScheduler).play(),
    actual: (tape) => new Player(world, tape, create).play(),
  });
}
