// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { NOT_IN_HEAP, type Timed } from './deadlines.js';
import type { EventCallback, EventDescription, EventId } from './event.js';
import type { EventNode } from './event-list.js';
import type { DescriptorInterest } from './descriptor-interest.js';

/** One registration (rule E1; C: event_t), with its places in the scheduler's indexes. */
export class RegisteredEvent implements EventDescription, Timed {
  /** False once it is unregistered: it never fires again (rule P7). */
  live = true;
  /** Its place in the order of all events. */
  orderNode: EventNode<RegisteredEvent> | undefined;
  /** Its descriptor's entry, unless its mode is TIMEOUT alone. */
  descriptor: DescriptorInterest<RegisteredEvent> | undefined;
  /** Its places among the events of its descriptor that ask for the same condition, as DESCRIPTOR_MODES lists them. */
  readonly interestNodes: (EventNode<RegisteredEvent> | undefined)[] = [undefined, undefined, undefined];
  /** Its index in the deadline heap. */
  heapIndex = NOT_IN_HEAP;

  readonly sequence: number;
  readonly id: EventId;
  readonly mode: number;
  readonly fd: number;
  readonly timeoutSeconds: number;
  deadline: number;
  readonly callback: EventCallback<never>;
  readonly privateData: unknown;

  /**
   * @param sequence grows with every registration: it compares as the order does
   * @param deadline wrapped to 32 bits (rule E6)
   */
  constructor(
    sequence: number,
    id: EventId,
    mode: number,
    fd: number,
    timeoutSeconds: number,
    deadline: number,
    callback: EventCallback<never>,
    privateData: unknown,
  ) {
    this.sequence = sequence;
    this.id = id;
    this.mode = mode;
    this.fd = fd;
    this.timeoutSeconds = timeoutSeconds;
    this.deadline = deadline;
    this.callback = callback;
    this.privateData = privateData;
  }

  get deadlineSeconds(): number {
    return this.deadline;
  }

  get callbackName(): string {
    return this.callback.name;
  }
}
