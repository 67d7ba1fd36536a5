// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { NOT_IN_HEAP } from './deadlines.js';
import type { Deferred } from './deferred-deadlines.js';
import type { Descriptor } from '../posix/posix.js';
import {
  ANY_DESCRIPTOR_MODE,
  type EventDescription,
  type EventId,
  type EventMode,
  TIMEOUT,
} from './event.js';
import type { EventNode } from './event-list.js';
import type { Tapdisk3Callback } from './tapdisk3-registrar.js';

/** What is given at registration. */
type Registration = Pick<Tapdisk3Event, 'sequence' | 'id' | 'mode' | 'fd' | 'timeout' | 'deadline'>;

/** One registration (rule T-E1; C: event_t), with its places in the scheduler's indexes. Times are microseconds. */
export class Tapdisk3Event implements EventDescription, Deferred {
  /** Grows with every registration: it compares as the order does. */
  readonly sequence: number;
  readonly id: EventId;
  readonly mode: EventMode;
  readonly fd: Descriptor;
  readonly callback: Tapdisk3Callback<never>;
  readonly privateData: unknown;
  /** Negative when infinite. */
  timeout: number;
  /** Means nothing while the timeout is infinite (rule T-E4). */
  deadline: number;
  /** False once it is unregistered; its id is held until it is freed (rules T-D2, T-G1). */
  live = true;
  masked = false;
  /** What a wait has found and no pass has handled yet (rule T-D3). */
  pending = 0;
  /** Its place in the order of all live events. */
  orderNode: EventNode<Tapdisk3Event> | undefined;
  /** Its indexes among the unmasked events of its descriptor, as DESCRIPTOR_MODES lists the conditions. */
  readonly interestIndexes = [NOT_IN_HEAP, NOT_IN_HEAP, NOT_IN_HEAP];
  /** Its index among the masked or the unmasked deadlines, and the deadline that gave it that place. */
  heapIndex = NOT_IN_HEAP;
  sortedBy: number;

  constructor(
    { sequence, id, mode, fd, timeout, deadline }: Registration,
    callback: Tapdisk3Callback<never>,
    privateData: unknown,
  ) {
    this.sequence = sequence;
    this.id = id;
    this.mode = mode;
    this.fd = fd;
    this.timeout = timeout;
    this.deadline = deadline;
    this.sortedBy = deadline;
    this.callback = callback;
    this.privateData = privateData;
  }

  /** Whether select is asked for its descriptor while it is unmasked (rule T-W3). */
  get asksForDescriptor(): boolean {
    return (this.mode & ANY_DESCRIPTOR_MODE) !== 0 && this.fd >= 0;
  }

  /** Whether it has a deadline. */
  get isTimed(): boolean {
    return (this.mode & TIMEOUT) !== 0 && this.timeout >= 0;
  }

  get timeoutSeconds(): number {
    return this.timeout < 0 ? Infinity : this.timeout / 1e6;
  }

  get deadlineSeconds(): number {
    return this.timeout < 0 ? Infinity : this.deadline / 1e6;
  }

  get callbackName(): string {
    return this.callback.name;
  }
}
