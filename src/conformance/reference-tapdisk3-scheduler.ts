// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { MicrosecondClock } from '../posix/clock.js';
import { errno } from '../posix/errno.js';
import type { Interest, Poller, ReadyDescriptor } from '../posix/poller.js';
import { ANY_MODE, type CallbackResult, DESCRIPTOR_MODES, TIMEOUT } from '../scheduler/event.js';
import type { Tapdisk3Callback } from '../scheduler/tapdisk3-registrar.js';
import type { Tapdisk3UnderTest } from './scheduler-under-test.js';

interface ReferenceEvent {
  readonly id: number;
  readonly mode: number;
  readonly fd: number;
  timeout: number;
  deadline: number;
  masked: boolean;
  dead: boolean;
  pending: number;
  readonly call: (modes: number) => CallbackResult | Promise<CallbackResult>;
}

const MAX_WAIT = 600_000_000;
const INT_MAX = 2 ** 31 - 1;

/**
 * The rules of docs/semantics.md for tapdisk3 as literally as they can be written down: one array in order of registration,
 * scanned from its head for everything. It is the model that the real scheduler is held against, and slow.
 */
export class ReferenceTapdisk3Scheduler implements Tapdisk3UnderTest {
  readonly #poller: Poller;
  readonly #clock: MicrosecondClock;
  /** The order, live and dead (T-D2, T-E1). */
  #events: ReferenceEvent[] = [];
  #cap = 0; // T-W2
  #waits = 0;
  /** Select has succeeded in the outermost wait. */
  #selected = false;
  nextEventId = 1;

  constructor(poller: Poller, clock: MicrosecondClock) {
    this.#poller = poller;
    this.#clock = clock;
  }

  registerEvent<Private = undefined>(
    mode: number,
    fd: number,
    timeout: number,
    callback: Tapdisk3Callback<Private>,
    privateData?: Private,
  ): number {
    if (typeof callback !== 'function' || (mode & ANY_MODE) === 0) return -errno.EINVAL; // T-E3
    const id = this.#drawId();
    const call = (modes: number): CallbackResult | Promise<CallbackResult> =>
      callback(id, modes, privateData as Private);
    const deadline = this.#clock.nowMicroseconds() + timeout; // T-E4
    this.#events.push({ id, mode, fd, timeout, deadline, masked: false, dead: false, pending: 0, call });
    return id;
  }

  unregisterEvent(id: number): void {
    const event = this.#find(id);
    if (event) event.dead = true; // T-U1
  }

  maskEvent(id: number, masked: boolean): void {
    const event = this.#find(id);
    if (event) event.masked = masked; // T-M1
  }

  setEventTimeout(id: number, timeout: number): number {
    if (id === 0) return -errno.EINVAL; // T-S1
    const event = this.#find(id);
    if (event === undefined) return -errno.ENOENT;
    if ((event.mode & TIMEOUT) === 0) return -errno.EINVAL;
    event.timeout = timeout;
    event.deadline = this.#clock.nowMicroseconds() + timeout;
    return 0;
  }

  setMaxTimeout(timeout: number): number {
    if (timeout >= 0 && timeout < this.#cap) this.#cap = timeout; // T-W7
    return 0;
  }

  async waitForEvents(): Promise<number> {
    this.#waits += 1;
    try {
      if (this.#waits > 1 && (await this.#pass())) return 0; // T-N1
      const answer = await this.#select();
      if (typeof answer === 'number') return answer; // T-W6
      this.#cap = MAX_WAIT;
      this.#handOut(answer);
      this.#selected = true;
      await this.#pass();
      return 0;
    } catch (error) {
      // What C does not have: a callback that throws ends the pass, and what it left is found again.
      for (const event of this.#events) event.pending = 0;
      throw error;
    } finally {
      this.#waits -= 1;
      if (this.#waits === 0) this.#free();
    }
  }

  /** T-G1. */
  #free(): void {
    if (this.#selected) this.#events = this.#events.filter(({ dead }) => !dead);
    this.#selected = false;
  }

  #find(id: number): ReferenceEvent | undefined {
    return this.#events.find((event) => event.id === id);
  }

  /** T-I1 to T-I3; that held ids are skipped before the first wrap too cannot be seen. */
  #drawId(): number {
    for (;;) {
      const id = Math.max(1, this.nextEventId);
      this.nextEventId = id === INT_MAX ? 1 : id + 1;
      if (this.#find(id) === undefined) return id;
    }
  }

  get #asking(): ReferenceEvent[] {
    return this.#events.filter(({ dead, masked }) => !dead && !masked); // T-M2
  }

  /** T-W3 to T-W5. */
  async #select(): Promise<readonly ReadyDescriptor[] | number> {
    const now = this.#clock.nowMicroseconds();
    const left = this.#asking.filter(isTimed).map(({ deadline }) => Math.max(0, deadline - now));
    let timeout = Math.min(MAX_WAIT, this.#cap, ...left);
    const interest = interestOf(this.#asking.filter(({ fd }) => fd >= 0));
    for (;;) {
      const start = this.#clock.nowMicroseconds();
      const answer = await this.#poller.select(interest, timeout / 1e6);
      if (answer !== -errno.EINTR) return answer;
      timeout = Math.max(0, timeout - Math.max(0, this.#clock.nowMicroseconds() - start));
    }
  }

  /** T-P1 and T-P3, and B1 and B2 as a safe port has them. */
  #handOut(ready: readonly ReadyDescriptor[]): void {
    const bits = new Map(ready.map(({ fd, conditions }) => [fd, conditions]));
    for (const event of this.#asking) {
      const taken = (bits.get(event.fd) ?? 0) & event.mode;
      event.pending |= taken;
      bits.set(event.fd, (bits.get(event.fd) ?? 0) & ~taken);
    }
    const now = this.#clock.nowMicroseconds();
    for (const event of this.#events) {
      if (!event.dead && event.pending === 0 && isTimed(event) && event.deadline <= now)
        event.pending = TIMEOUT;
    }
  }

  /** T-P4 to T-P7: whether anything was handled. An event that a callback registers is reached, and is not pending. */
  async #pass(): Promise<boolean> {
    let handled = false;
    for (const event of this.#events) {
      const modes = event.pending;
      if (event.dead || modes === 0) continue;
      handled = true;
      event.pending = 0;
      if (isTimed(event)) event.deadline = this.#clock.nowMicroseconds() + event.timeout; // T-P5
      if (!event.masked) await event.call(modes); // T-M3, T-M4
    }
    return handled;
  }
}

function isTimed({ mode, timeout }: ReferenceEvent): boolean {
  return (mode & TIMEOUT) !== 0 && timeout >= 0; // T-D1
}

/** T-W3: nfds is 0 when nothing is asked for. */
function interestOf(asking: readonly ReferenceEvent[]): Interest {
  const events = asking.filter(({ mode }) => DESCRIPTOR_MODES.some((condition) => mode & condition));
  return {
    nfds: Math.max(0, ...events.map(({ fd }) => fd + 1)),
    conditions(fd) {
      const own = events.filter((event) => event.fd === fd);
      return own.reduce((mask, { mode }) => mask | (mode & ~TIMEOUT & ANY_MODE), 0);
    },
    descriptors(condition) {
      const fds = events.filter(({ mode }) => mode & condition).map(({ fd }) => fd);
      return [...new Set(fds)].toSorted((one, other) => one - other);
    },
  };
}
