// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import { errno } from '../posix/errno.js';
import type { Poller, ReadyDescriptor } from '../posix/poller.js';
import { selectPromise } from '../posix/shared/select-once.js';
import {
  ANY_DESCRIPTOR_MODE,
  ANY_MODE,
  DESCRIPTOR_MODES,
  type EventCallback,
  TIMEOUT,
} from '../scheduler/event.js';
import type { SchedulerUnderTest } from './scheduler-under-test.js';

interface ReferenceEvent {
  readonly id: number;
  readonly mode: number;
  readonly fd: number;
  readonly timeout: number;
  deadline: number;
  readonly callback: () => void;
  fired: number;
}

const MAX_WAIT = 600;
const INT_MAX = 2 ** 31 - 1;

/**
 * The rules of docs/semantics.md as literally as they can be written down: one array in order of registration, scanned
 * from its head for everything. It is the model that the real scheduler is held against, and slow.
 */
export class ReferenceScheduler implements SchedulerUnderTest {
  readonly #poller: Poller;
  readonly #clock: Clock;
  readonly #events: ReferenceEvent[] = [];
  #cap = 0; // W3: a fresh scheduler's first wait does not sleep.
  #startOver = false;
  /** The descriptors that the poller has been given. */
  #asked: ReadonlySet<number> = new Set();
  nextEventId = 1;

  constructor(poller: Poller, clock: Clock) {
    this.#poller = poller;
    this.#clock = clock;
  }

  registerEvent<Private = undefined>(
    mode: number,
    fd: number,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): number {
    if (typeof callback !== 'function' || (mode & ANY_MODE) === 0) return -errno.EINVAL;
    const id = this.#freeId();
    if (id < 0) return id;
    const event: ReferenceEvent = {
      id,
      mode,
      fd,
      timeout: timeoutSeconds,
      deadline: this.#deadline(timeoutSeconds),
      callback: () => callback(id, event.fired, privateData as Private),
      fired: 0,
    };
    this.#events.push(event);
    return id;
  }

  unregisterEvent(id: number): void {
    const index = this.#events.findIndex((event) => event.id === id);
    if (index < 0) return;
    this.#events.splice(index, 1);
    this.#startOver = true;
  }

  setMaxTimeout(timeoutSeconds: number): number {
    if (timeoutSeconds >= 0) this.#cap = Math.min(this.#cap, timeoutSeconds);
    return 0;
  }

  async waitForEvents(): Promise<number> {
    this.#setInterest();
    const answer = await selectPromise(this.#poller, this.#selectTimeout());
    this.#cap = MAX_WAIT;
    if (typeof answer === 'number') return answer;
    const bits = answer.flatMap(bitsOf);
    const count = bits.length;
    this.#pass(bits);
    return count;
  }

  /** I1 and I2. A counter at 0, which only a script brings about, is used up by one refusal. */
  #freeId(): number {
    const first = this.nextEventId;
    for (;;) {
      const id = this.nextEventId;
      this.nextEventId = id === INT_MAX ? 1 : id + 1;
      if (id > 0 && !this.#events.some((event) => event.id === id)) return id;
      if (id === 0 || this.nextEventId === first) return -errno.EBUSY;
    }
  }

  /** E4 and E6. */
  #deadline(timeoutSeconds: number): number {
    return (Math.floor(this.#clock.now()) + timeoutSeconds) | 0;
  }

  /** W2's descriptors. */
  #setInterest(): void {
    const asked = new Map([...this.#asked].map((fd) => [fd, 0]));
    for (const { fd, mode } of this.#events) {
      const conditions = mode & ANY_DESCRIPTOR_MODE;
      if (conditions !== 0) asked.set(fd, (asked.get(fd) ?? 0) | conditions);
    }
    for (const [fd, conditions] of asked) this.#poller.setInterest(fd, conditions);
    this.#asked = new Set(asked.keys());
  }

  /** W2's seconds. */
  #selectTimeout(): number {
    const now = Math.floor(this.#clock.now());
    const left = this.#events
      .filter((event) => event.mode & TIMEOUT)
      .map((event) => (event.deadline - now) | 0);
    return Math.min(MAX_WAIT, this.#cap, ...left.map((seconds) => Math.max(0, seconds)));
  }

  /** P1 to P7; `bits` are those that select left set, and are taken out as they are used. */
  #pass(bits: Bit[]): void {
    const now = Math.floor(this.#clock.now());
    this.#startOver = false;
    let event = this.#events[0];
    while (event !== undefined) {
      // P5: the successor is settled before the callback runs.
      const next: ReferenceEvent | undefined = this.#events[this.#events.indexOf(event) + 1];
      const mode = this.#due(event, bits, now);
      if (mode !== 0) this.#fire(event, mode);
      event = this.#startOver ? this.#events[0] : next;
      this.#startOver = false;
    }
  }

  /** P2 and P3: the one mode to fire, or 0. */
  #due(event: ReferenceEvent, bits: Bit[], now: number): number {
    for (const mode of DESCRIPTOR_MODES) {
      const index =
        event.mode & mode ? bits.findIndex((bit) => bit.fd === event.fd && bit.condition === mode) : -1;
      if (index >= 0) {
        bits.splice(index, 1);
        return mode;
      }
    }
    return event.mode & TIMEOUT && event.deadline <= now ? TIMEOUT : 0;
  }

  #fire(event: ReferenceEvent, mode: number): void {
    if (event.mode & TIMEOUT) event.deadline = this.#deadline(event.timeout); // P4
    event.fired = mode;
    event.callback();
  }
}

interface Bit {
  readonly fd: number;
  readonly condition: number;
}

function bitsOf({ fd, conditions }: ReadyDescriptor): Bit[] {
  return DESCRIPTOR_MODES.filter((condition) => conditions & condition).map((condition) => ({
    fd,
    condition,
  }));
}
