// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventQueue } from './event-queue.js';
import type { Random } from './random.js';

/** What one direction of a link is like. */
export interface PathConditions {
  /** How long a segment travels, in seconds. */
  readonly latencySeconds: number;
  /** Up to how much longer, in seconds, drawn for each segment. Segments never overtake one another. */
  readonly jitterSeconds: number;
  /** The rate of the link, in bytes a second; Infinity for no delay. */
  readonly bytesPerSecond: number;
}

/** A local network: 0.1 ms there, a little jitter, 1 Gbit/s. */
export const LAN: PathConditions = {
  latencySeconds: 0.0001,
  jitterSeconds: 0.00005,
  bytesPerSecond: 125_000_000,
};

/** Within one host. */
export const LOOPBACK: PathConditions = {
  latencySeconds: 0.00001,
  jitterSeconds: 0.000005,
  bytesPerSecond: Infinity,
};

/** @throws RangeError that names the condition that is out of range */
export function checkPathConditions(conditions: PathConditions): PathConditions {
  for (const name of ['latencySeconds', 'jitterSeconds'] as const) {
    const seconds = conditions[name];
    if (!(seconds >= 0 && seconds < 1e9))
      throw new RangeError(`${name} is ${seconds}, but must be 0 or more`);
  }
  if (!(conditions.bytesPerSecond > 0)) {
    throw new RangeError(`bytesPerSecond is ${conditions.bytesPerSecond}, but must be more than 0`);
  }
  return conditions;
}

/** Bytes that a segment has beside its data: Ethernet's, IP's and TCP's headers. */
const HEADER_BYTES = 66;

/** One direction of a link between two hosts: a first-in first-out queue of segments under way. */
export class Path {
  conditions: PathConditions;
  /** A black hole: what is put in, and what is under way, is lost without a word. */
  isCut = false;
  #busyUntil = 0;
  #lastArrival = 0;

  private readonly queue: EventQueue;
  private readonly random: Random;

  constructor(queue: EventQueue, random: Random, conditions: PathConditions) {
    this.queue = queue;
    this.random = random;
    this.conditions = conditions;
  }

  /** Sends a segment: exactly one of `arrive` and `lose` is called, later. */
  send(dataBytes: number, arrive: () => void, lose: () => void): void {
    const { latencySeconds, jitterSeconds, bytesPerSecond } = this.conditions;
    const now = this.queue.nowMicroseconds;
    const departed = Math.max(now, this.#busyUntil) + ((dataBytes + HEADER_BYTES) / bytesPerSecond) * 1e6;
    const travel = (latencySeconds + this.random.fraction() * jitterSeconds) * 1e6;
    const arrival = Math.max(departed + travel, this.#lastArrival);
    this.#busyUntil = departed;
    this.#lastArrival = arrival;
    const lostAtOnce = this.isCut;
    this.queue.after(arrival - now, () => {
      if (lostAtOnce || this.isCut) lose();
      else arrive();
    });
  }
}
