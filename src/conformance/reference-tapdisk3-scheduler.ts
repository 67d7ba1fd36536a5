// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { MicrosecondClock } from '../posix/clock.js';
import { errno } from '../posix/errno.js';
import type { Poller, ReadyDescriptor } from '../posix/poller.js';
import { selectPromise } from '../posix/shared/select-once.js';
import { ANY_MODE, type CallbackResult, TIMEOUT } from '../scheduler/event.js';
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
  /** The descriptors that the poller has been given. */
  #asked: ReadonlySet<number> = new Set();
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
    if (timeout >= 0) this.#cap = Math.min(this.#cap, timeout); // T-W7
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
    this.#setInterest();
    for (;;) {
      const start = this.#clock.nowMicroseconds();
      const answer = await selectPromise(this.#poller, timeout / 1e6);
      if (answer !== -errno.EINTR) return answer;
      timeout = Math.max(0, timeout - Math.max(0, this.#clock.nowMicroseconds() - start));
    }
  }

  /** T-W3: a descriptor below 0 is not asked for. */
  #setInterest(): void {
    const asked = new Map([...this.#asked].map((fd) => [fd, 0]));
    for (const { fd, mode } of this.#asking) {
      const conditions = mode & ANY_MODE & ~TIMEOUT;
      if (fd >= 0 && conditions !== 0) asked.set(fd, (asked.get(fd) ?? 0) | conditions);
    }
    for (const [fd, conditions] of asked) this.#poller.setInterest(fd, conditions);
    this.#asked = new Set(asked.keys());
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
