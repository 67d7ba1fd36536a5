// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../posix/errno.js';
import type { Machine } from './machine.js';
import type { Network, Route, Unreachable } from './network.js';
import { checkPathConditions, type PathConditions } from './path.js';

/** Which directions of a link something is done to: from the host named first to the second, back, or both. */
export type Direction = 'forth' | 'back' | 'both';

/** The link between two hosts, and what can be done to it. Every change holds from now on, also for what is under way. */
export class Link {
  readonly #network: Network;
  readonly #ends: readonly [Machine, Machine];
  readonly #forth: Route;
  readonly #back: Route;

  constructor(network: Network, from: Machine, to: Machine) {
    this.#network = network;
    this.#ends = [from, to];
    this.#forth = network.route(from, to);
    this.#back = network.route(to, from);
  }

  /** Whether both directions carry anything. */
  get isWhole(): boolean {
    return !this.#forth.path.isCut && !this.#back.path.isCut;
  }

  /** Sets latency, jitter and bandwidth; what is not named stays. @throws RangeError for a condition out of range */
  shape(conditions: Partial<PathConditions>, direction: Direction = 'both'): this {
    for (const { path } of this.#routes(direction)) {
      path.conditions = checkPathConditions({ ...path.conditions, ...conditions });
    }
    return this.#noted(`is shaped ${JSON.stringify(conditions)}`, direction);
  }

  /** Makes it a black hole: everything is lost without a word, what is under way too. TCP sends again. */
  cut(direction: Direction = 'both'): this {
    for (const { path } of this.#routes(direction)) path.isCut = true;
    return this.#noted('is cut', direction);
  }

  /** Undoes cut, refuse and unreachable. */
  heal(direction: Direction = 'both'): this {
    for (const route of this.#routes(direction)) {
      route.path.isCut = false;
      route.refuses = false;
      route.unreachable = undefined;
    }
    return this.#noted('is whole', direction);
  }

  /** Attempts to connect are reset on their way (ECONNREFUSED); established connections go on. */
  refuse(direction: Direction = 'both'): this {
    for (const route of this.#routes(direction)) route.refuses = true;
    return this.#noted('refuses', direction);
  }

  /** Attempts to connect end with this errno, at once or after a while; established connections go on. */
  unreachable(error: number, afterSeconds = 0, direction: Direction = 'both'): this {
    const unreachable: Unreachable = { errno: Math.abs(error), afterSeconds };
    for (const route of this.#routes(direction)) route.unreachable = unreachable;
    return this.#noted(`answers ${errnoCode(error)} after ${afterSeconds} s`, direction);
  }

  /** Resets every connection over it, at both ends at once, as a firewall in the middle does. */
  reset(): this {
    this.#noted('resets its connections', 'both');
    const [one, other] = this.#ends;
    for (const machine of new Set([one, other])) {
      const far = machine === one ? other : one;
      for (const endpoint of machine.endpoints) {
        if (endpoint.peer?.host === far) endpoint.receiveReset();
      }
    }
    return this;
  }

  #routes(direction: Direction): Route[] {
    if (direction === 'forth') return [this.#forth];
    return direction === 'back' ? [this.#back] : [this.#forth, this.#back];
  }

  #noted(what: string, direction: Direction): this {
    const arrow = { forth: '>', back: '<', both: '<>' }[direction];
    this.#network.note(this.#ends[0], `link ${arrow} ${this.#ends[1].name} ${what}`);
    return this;
  }
}
