// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ReadyDescriptor } from '../posix/poller.js';
import { type Deadlines, NOT_IN_HEAP } from './deadlines.js';
import { DESCRIPTOR_MODES, TIMEOUT } from './event.js';
import type { DescriptorInterest } from './descriptor-interest.js';
import type { EventList } from './event-list.js';
import { Heap } from './heap.js';
import type { InterestSet } from './interest-set.js';
import type { RegisteredEvent } from './registered-event.js';

/** Before the first event in the order of sequence numbers. */
const HEAD = -1;

/** What a pass works on; it belongs to the scheduler. */
export interface PassContext {
  readonly order: EventList<RegisteredEvent>;
  readonly interest: InterestSet;
  readonly deadlines: Deadlines<RegisteredEvent>;
  /** Resets the event's deadline (rule P4) and calls its callback for one mode. */
  fire(event: RegisteredEvent, mode: number): void;
}

/**
 * One pass over the events (rules P1 to P7; C: scheduler_run_events).
 *
 * In C a pass looks at every event in the order. Here it looks, in the same order, only at those that could fire: for
 * each ready bit the oldest event behind the cursor that asks for it, and the events that are due. To look at one too
 * many is harmless, as each is judged again when its turn comes; one that the scan would fire must not be missing. So:
 *
 *   - where an event uses one bit and leaves another set, that one goes on to the next event that asks for it;
 *   - an event that a callback registers is a candidate if a set bit or its deadline lets it fire;
 *   - when the pass starts over, the oldest event is the candidate again of each bit whose candidate was passed over or
 *     unregistered, and events that are due again are candidates again.
 */
export class Pass {
  readonly #candidates = new Heap<RegisteredEvent>((a, b) => a.sequence < b.sequence);
  /** The descriptors that were ready as the pass began. */
  readonly #ready: DescriptorInterest<RegisteredEvent>[] = [];
  /** Descriptors with a bit whose candidate may not be the oldest event that asks for it; one may be listed again. */
  readonly #passedOver: DescriptorInterest<RegisteredEvent>[] = [];
  #nowSeconds!: number;
  /** The sequence number of the event that had its turn last. */
  #cursor!: number;
  /** An event was unregistered in the callback that runs (rule P6). */
  #unregistered = false;
  #running = false;
  /** Where the last pass was cut: this one takes up behind it. HEAD when it was not. */
  #cutAt = HEAD;

  private readonly context: PassContext;
  private readonly maxCallbacks: number;

  constructor(context: PassContext, maxCallbacks: number) {
    this.context = context;
    this.maxCallbacks = maxCallbacks;
  }

  /** Whether a callback may be on the stack. */
  get running(): boolean {
    return this.#running;
  }

  /**
   * Calls the callbacks of what is ready or due.
   *
   * @param nowSeconds the clock's whole seconds, read once before the pass (rule P1)
   * @returns the event that was to fire next when the pass was cut, as it had called maxCallbacks; else undefined
   * @throws what a callback throws. The pass ends there; what it left is ready or due in the next one.
   */
  run(ready: readonly ReadyDescriptor[], nowSeconds: number): RegisteredEvent | undefined {
    this.#nowSeconds = nowSeconds;
    this.#cursor = this.#cutAt;
    this.#cutAt = HEAD;
    for (const { fd, conditions } of ready) {
      const descriptor = this.context.interest.find(fd);
      // Nothing is there when what asked for it was unregistered while select slept.
      if (descriptor === undefined) continue;
      descriptor.bits = conditions;
      this.#ready.push(descriptor);
      if (this.#cursor !== HEAD) this.#passedOver.push(descriptor);
    }
    this.#running = true;
    try {
      this.#collect(this.#ready);
      return this.#sweep();
    } finally {
      this.#running = false;
      this.#end();
    }
  }

  /** Informs the running pass of an event registered in a callback (rule P5). */
  registered(event: RegisteredEvent): void {
    if (this.#modeToFire(event) !== 0) this.#candidates.push(event);
  }

  /** Informs the running pass of an event unregistered in a callback. */
  unregistered(event: RegisteredEvent): void {
    this.#unregistered = true;
    this.#passOver(event);
  }

  #sweep(): RegisteredEvent | undefined {
    const { order } = this.context;
    let fired = 0;
    let mayStartOver = this.#cursor !== HEAD;
    let lastFired = HEAD;
    for (;;) {
      const event = this.#nextCandidate();
      if (event === undefined) {
        // A pass that takes up where the last was cut, and finds nothing to do there, is an ordinary one.
        if (!mayStartOver || fired > 0) return undefined;
        mayStartOver = false;
        this.#startOver();
        continue;
      }
      const mode = this.#modeToFire(event);
      if (mode === 0) continue;
      if (fired === this.maxCallbacks) {
        this.#cutAt = lastFired;
        this.#putBack(event);
        return event;
      }
      fired += 1;
      lastFired = event.sequence;
      this.#useBit(event, mode);
      // What comes next is settled before the callback runs: behind the last event nothing does (rule P5).
      const last = order.tail === event.orderNode;
      this.#unregistered = false;
      this.context.fire(event, mode);
      if (this.#unregistered) this.#startOver();
      else if (last) return undefined;
    }
  }

  /** Clears the state of the pass, however it ended. */
  #end(): void {
    for (let descriptor = this.#ready.pop(); descriptor; descriptor = this.#ready.pop()) {
      descriptor.bits = 0;
      this.context.interest.release(descriptor);
    }
    this.#forgetPassedOver();
    for (let event = this.#candidates.pop(); event; event = this.#candidates.pop()) this.#putBack(event);
  }

  /** The next live event behind the cursor, and moves the cursor to it. */
  #nextCandidate(): RegisteredEvent | undefined {
    for (;;) {
      const event = this.#candidates.pop();
      if (event === undefined) return undefined;
      if (!event.live) continue;
      if (event.sequence > this.#cursor) {
        this.#cursor = event.sequence;
        return event;
      }
      // It had its turn, or stands before the place where this pass took up.
      this.#putBack(event);
    }
  }

  /** The first condition of the event that holds (rule P2), or 0. */
  #modeToFire(event: RegisteredEvent): number {
    const bits = event.descriptor === undefined ? 0 : event.descriptor.bits & event.mode;
    if (bits !== 0) return bits & -bits;
    return (event.mode & TIMEOUT) !== 0 && event.deadline <= this.#nowSeconds ? TIMEOUT : 0;
  }

  /** Clears the bit that the event fires by, and hands those it leaves on to the events behind it. */
  #useBit(event: RegisteredEvent, mode: number): void {
    if (mode === TIMEOUT) return;
    const descriptor = event.descriptor as DescriptorInterest<RegisteredEvent>;
    descriptor.bits &= ~mode;
    if (descriptor.bits === 0) return;
    this.#passOver(event);
    for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
      if ((descriptor.bits & (DESCRIPTOR_MODES[index] as number)) === 0) continue;
      const next = event.interestNodes[index]?.next;
      if (next !== undefined) this.#candidates.push(next.event);
    }
  }

  /** Notes that bits of the event's descriptor may need an older candidate when the pass starts over. */
  #passOver({ descriptor }: RegisteredEvent): void {
    if (descriptor !== undefined && descriptor.bits !== 0) this.#passedOver.push(descriptor);
  }

  #startOver(): void {
    this.#cursor = HEAD;
    this.#collect(this.#passedOver);
    this.#forgetPassedOver();
  }

  #forgetPassedOver(): void {
    // To set an array's length costs more than the check that it is empty, as it mostly is.
    if (this.#passedOver.length > 0) this.#passedOver.length = 0;
  }

  /** Makes candidates of the oldest events behind the cursor for the bits of some descriptors, and of those that are due. */
  #collect(descriptors: readonly DescriptorInterest<RegisteredEvent>[]): void {
    const { deadlines } = this.context;
    for (const { bits, lists } of descriptors) {
      for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
        if ((bits & (DESCRIPTOR_MODES[index] as number)) === 0) continue;
        let node = lists[index]?.head;
        while (node !== undefined && node.event.sequence <= this.#cursor) node = node.next;
        if (node !== undefined) this.#candidates.push(node.event);
      }
    }
    for (let event = deadlines.popDue(this.#nowSeconds); event; event = deadlines.popDue(this.#nowSeconds)) {
      this.#candidates.push(event);
    }
  }

  /** Puts an event that was taken out as due, and did not fire, back among the deadlines. */
  #putBack(event: RegisteredEvent): void {
    if (event.live && (event.mode & TIMEOUT) !== 0 && event.heapIndex === NOT_IN_HEAP)
      this.context.deadlines.put(event);
  }
}
