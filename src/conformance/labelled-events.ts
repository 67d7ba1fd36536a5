// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { modeName } from '../scheduler/event.js';
import { tracedResult } from './error-names.js';
import { modeMask } from './mode-names.js';
import { LimitReached } from './scheduler-under-test.js';
import { DEFAULT_LIMIT, type ModeName, type TraceEntry } from './vector.js';

/** What a script says of an event, as far as both dialects say the same. */
interface LabelledEvent<Action> {
  readonly mode: readonly ModeName[];
  readonly fd: number;
  readonly timeout: number;
  readonly cb?: boolean;
  readonly on?: readonly (readonly Action[])[];
}

interface LabelledScript<Action> {
  readonly events: Readonly<Record<string, LabelledEvent<Action>>>;
  readonly limit?: number;
}

type Callback = (id: number, modes: number) => void | Promise<void>;

/** Registers an event with a scheduler, and returns what that returns. */
export type Register = (mode: number, fd: number, timeout: number, callback: Callback) => number;

/** Does what a callback does; the promise, where it waits, is settled at the end. */
export type Play<Action> = (actions: readonly Action[]) => void | Promise<void>;

/** An id that no event ever has. */
const NEVER_REGISTERED = 0;

/** The events of a script of the scheduler suite by label, their firings, and the limit of them. */
export class LabelledEvents<Action> {
  readonly #script: LabelledScript<Action>;
  readonly #trace: TraceEntry[];
  readonly #play: Play<Action>;
  /** What the latest registration of a label returned. */
  readonly #ids = new Map<string, number>();
  /** How often a label's callback has run. */
  readonly #firings = new Map<string, number>();
  #fires = 0;

  constructor(script: LabelledScript<Action>, trace: TraceEntry[], play: Play<Action>) {
    this.#script = script;
    this.#trace = trace;
    this.#play = play;
  }

  /** @throws Error when the script has no event of that label */
  register(label: string, register: Register): void {
    const event = this.#script.events[label];
    if (event === undefined) throw new Error(`no event has the label ${label}`);
    const callback: Callback = (id, modes) => this.#fired(label, event, id, modes);
    // Registering without a callback is a caller's mistake that the types would not let pass.
    const given = event.cb === false ? (undefined as unknown as Callback) : callback;
    const id = register(modeMask(event.mode), event.fd, event.timeout, given);
    this.#ids.set(label, id);
    this.#trace.push(['register', label, tracedResult(id)]);
  }

  /** A raw id, or what the label's latest registration returned. */
  idOf(what: string | number): number {
    return typeof what === 'number' ? what : (this.#ids.get(what) ?? NEVER_REGISTERED);
  }

  #fired(label: string, event: LabelledEvent<Action>, id: number, modes: number): void | Promise<void> {
    this.#trace.push(['fire', label, id, modeName(modes)]);
    const firing = this.#firings.get(label) ?? 0;
    this.#firings.set(label, firing + 1);
    const playing = this.#play(event.on?.[firing] ?? []);
    if (playing instanceof Promise) return playing.then(() => this.#ended());
    this.#ended();
    return undefined;
  }

  /** A handler has run to its end. */
  #ended(): void {
    this.#fires++;
    if (this.#fires === (this.#script.limit ?? DEFAULT_LIMIT)) throw new LimitReached();
  }
}
