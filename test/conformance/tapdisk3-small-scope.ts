// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ownTapdisk3Scheduler, referenceTapdisk3Scheduler } from '../../src/conformance/implementation.js';
import type { Tapdisk3Factory, Tapdisk3UnderTest } from '../../src/conformance/scheduler-under-test.js';
import { ScriptedClock } from '../../src/conformance/scripted-clock.js';
import { errno } from '../../src/posix/errno.js';
import type { SelectDone } from '../../src/posix/poller.js';
import { POLL_EXCEPT_FD, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/event.js';
import { INFINITE, type Tapdisk3Callback } from '../../src/scheduler/tapdisk3-registrar.js';
import { DESCRIPTORS, type End, type Label, LABELS, readySets, TapePlayer, thrown } from './tape-player.js';
import { type Exhausted, exhaustTapes } from './tapes.js';

/*
 * Every sequence of operations up to a length in tapdisk3's dialect, on few events and descriptors; as in small-scope.ts, one
 * tape from which the callbacks take their operations too.
 *
 * The alphabet: register an event; unregister, mask or unmask one; give one another timeout; a clock step; a wait with each
 * set of descriptors ready, one whose select is interrupted first, one that fails; in a callback the same waits, a
 * promise of something else, return and throw. Left out, as they add no behaviour: what does nothing (the random programs have that).
 */

/** What the three events are, as [mode, descriptor, timeout in microseconds]. */
type World = Readonly<Record<Label, readonly [mode: number, fd: number, timeout: number]>>;

/** Three events on descriptors 3 and 4 each; the first has the most for masks and deadlines to decide. */
export const TAPDISK3_WORLDS: readonly World[] = [
  { a: [POLL_READ_FD | TIMEOUT, 3, 0], b: [POLL_READ_FD, 3, 0], c: [TIMEOUT, -1, 10] },
  { a: [POLL_READ_FD, 3, 0], b: [POLL_READ_FD | POLL_WRITE_FD, 3, 0], c: [POLL_WRITE_FD | TIMEOUT, 4, 10] },
  { a: [TIMEOUT, 4, INFINITE], b: [POLL_READ_FD | TIMEOUT, -1, 10], c: [POLL_EXCEPT_FD | TIMEOUT, 3, 0] },
];

const CLOCK_STEP = 10;
const START = 1_000_000;

type Operation =
  | { readonly kind: 'register' | 'unregister' | 'mask'; readonly label: Label }
  | { readonly kind: 'setTimeout'; readonly label: Label; readonly timeout: number }
  | { readonly kind: 'wait'; readonly answers: readonly (readonly number[] | number)[] }
  | { readonly kind: 'elapse' | 'pause' | 'return' | 'throw' };

class Player extends TapePlayer<Operation> {
  readonly #world: World;
  readonly #clock = new ScriptedClock(START);
  readonly #masked = new Set<Label>();
  readonly #scheduler: Tapdisk3UnderTest;
  /** How the selects to come are answered; past the end nothing is ready. */
  #answers: (readonly number[] | number)[] = [];

  constructor(world: World, tape: readonly Operation[], create: Tapdisk3Factory) {
    super(tape);
    this.#world = world;
    this.#scheduler = create(this, { nowMicroseconds: () => this.#clock.now() });
  }

  protected act(operation: Operation): void | Promise<void> {
    if (operation.kind === 'wait') return this.#wait(operation.answers);
    if (operation.kind === 'elapse') this.#clock.elapse(CLOCK_STEP);
    else if (operation.kind === 'register') this.#register(operation.label);
    else if (operation.kind === 'unregister') {
      this.#scheduler.unregisterEvent(this.ids.get(operation.label) as number);
      this.ids.delete(operation.label);
    } else if (operation.kind === 'mask') {
      const { label } = operation;
      if (!this.#masked.delete(label)) this.#masked.add(label);
      this.#scheduler.maskEvent(this.ids.get(label) as number, this.#masked.has(label));
    } else if (operation.kind === 'setTimeout') {
      const id = this.ids.get(operation.label) as number;
      this.trace += `timeout ${this.#scheduler.setEventTimeout(id, operation.timeout)}\n`;
    }
    return undefined;
  }

  protected finish(): Promise<void> {
    this.#clock.elapse(CLOCK_STEP);
    return this.#wait([DESCRIPTORS]);
  }

  #register(label: Label): void {
    const [mode, fd, timeout] = this.#world[label];
    this.registered(label, this.#scheduler.registerEvent<Label>(mode, fd, timeout, this.#fired, label));
    this.#masked.delete(label);
  }

  readonly #fired: Tapdisk3Callback<Label> = (id, modes, label) => {
    this.trace += `fire ${label} ${id} ${modes}\n`;
    return this.#goOn();
  };

  /** At once, up to a wait or a pause. */
  #goOn(): void | Promise<void> {
    for (let operation = this.next(true); operation !== undefined; operation = this.next(true)) {
      if (operation.kind === 'return') return undefined;
      if (operation.kind === 'throw') throw thrown;
      if (operation.kind === 'pause') return Promise.resolve().then(() => this.#goOn());
      const waiting = this.act(operation);
      if (waiting) return waiting.then(() => this.#goOn());
    }
    return undefined;
  }

  #wait(answers: readonly (readonly number[] | number)[]): Promise<void> {
    this.#answers = [...answers];
    return this.waitOn(this.#scheduler);
  }

  select(timeoutSeconds: number, done: SelectDone): void {
    this.traceSelect(Math.round(timeoutSeconds * 1e6), -1);
    const answer = this.#answers.shift() ?? [];
    if (typeof answer !== 'number') return this.answer(answer, done);
    this.#clock.elapse(CLOCK_STEP / 2);
    queueMicrotask(() => done(answer));
  }
}

/** The operations that can come where a tape ran out. */
function choices(world: World, { inCallback, registered }: End): Operation[] {
  const operations: Operation[] = [{ kind: 'elapse' }];
  for (const label of LABELS) {
    if (!registered.includes(label)) {
      operations.push({ kind: 'register', label });
      continue;
    }
    operations.push({ kind: 'unregister', label }, { kind: 'mask', label });
    const [mode, , timeout] = world[label];
    // From no deadline to one that is reached, and back: a daemon that reopens its log does so.
    if (mode & TIMEOUT) operations.push({ kind: 'setTimeout', label, timeout: timeout < 0 ? 0 : INFINITE });
  }
  if (inCallback) operations.push({ kind: 'pause' }, { kind: 'return' }, { kind: 'throw' });
  const asks = (fd: number): boolean => registered.some((label) => world[label][1] === fd);
  operations.push(...readySets(asks).map((ready) => ({ kind: 'wait', answers: [ready] }) as const));
  operations.push({ kind: 'wait', answers: [-errno.EINTR, [3]] }, { kind: 'wait', answers: [-errno.ENOMEM] });
  return operations;
}

/** Plays every tape of exactly `length` operations on both schedulers; the shorter ones are their beginnings. */
export function exhaustTapdisk3(
  world: World,
  length: number,
  create: Tapdisk3Factory = ownTapdisk3Scheduler,
): Promise<Exhausted> {
  return exhaustTapes(length, {
    choices: (end: End) => choices(world, end),
    reference: (tape) => new Player(world, tape, referenceTapdisk3Scheduler).play(),
    actual: (tape) => new Player(world, tape, create).play(),
  });
}
