// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import type { Posix } from '../posix/posix.js';
import type { Dialect } from '../scheduler/dialect.js';
import { ANY_DESCRIPTOR_MODE, type EventDescription, modeName, TIMEOUT } from '../scheduler/event.js';
import type { LagMeasures } from './loop-lag.js';
import type { SchedulerMeter } from './scheduler-meter.js';
import type { RecentSlowCallback } from './slow-callbacks.js';

/** A view has at most this many events. */
export const MAX_VIEWED_EVENTS = 1000;
/** Rates cover at least this many seconds, except in the first view. */
const RATE_SECONDS = 1;

/** A registered event, ready for JSON. */
export interface EventView {
  readonly id: number;
  /** As `READ|TIMEOUT`. */
  readonly mode: string;
  /** Null when its mode is TIMEOUT alone. */
  readonly fd: number | null;
  /** Null without TIMEOUT in the mode. */
  readonly timeoutSeconds: number | 'infinite' | null;
  /** Seconds until its deadline, below 0 when it is overdue; `never` with an infinite timeout, null without TIMEOUT. */
  readonly dueInSeconds: number | 'never' | null;
  /** Always false with tapdisk2's scheduler, which masks nothing. */
  readonly masked: boolean;
  /**
   * What it is for, as far as that is known: what its descriptor is, as `listening on 127.0.0.1:10809`, and the name of the
   * function that it calls. May be empty. A peer has no say in it but by its address.
   */
  readonly purpose: string;
}

/** A scheduler at one moment, ready for JSON. */
export interface SchedulerView {
  readonly dialect: Dialect;
  /** When it was taken, in seconds of the scheduler's clock. */
  readonly atSeconds: number;
  /** In the order of registration, the first {@link MAX_VIEWED_EVENTS}. */
  readonly events: readonly EventView[];
  /** All of them. */
  readonly eventCount: number;
  /** Since the start. */
  readonly callbacks: number;
  /** Callbacks a second, over the last {@link SchedulerView.rateSeconds}. */
  readonly callbacksPerSecond: number;
  /** What part of that time was spent in callbacks: 0 to 1. With callbacks within callbacks it may be more. */
  readonly callbackShare: number;
  /** Since the view before this one, or one before that if it is not a second old; the first one: since the start. */
  readonly rateSeconds: number;
  /** Of the last minute or two, the slowest first, ten at most. */
  readonly slowest: readonly RecentSlowCallback[];
  /** Since the start. */
  readonly loopLag: LagMeasures;
}

/** What a view is taken of. */
export interface ViewedParts {
  /** The server, for one. */
  readonly server: {
    readonly dialect: Dialect;
    readonly scheduler: { readonly size: number; events(): Iterable<EventDescription> };
    readonly posix: Pick<Posix, 'openDescriptors'>;
  };
  /** The scheduler's. */
  readonly clock: Clock;
  /** One of the scheduler's observers, from the start. */
  readonly meter: SchedulerMeter;
  readonly loopLag: { measures(): LagMeasures };
}

/** What the meter had counted at a moment. */
interface Mark {
  readonly at: number;
  readonly callbacks: number;
  readonly callbackSeconds: number;
}

/** Takes views of a scheduler. It costs nothing between them; a view costs what there are events and descriptors. */
export class SchedulerViewer {
  readonly #parts: ViewedParts;
  /** What the next view's rate counts from, and the last view that may replace it. */
  #from: Mark;
  #last: Mark;

  constructor(parts: ViewedParts) {
    this.#parts = parts;
    this.#from = this.#mark();
    this.#last = this.#from;
  }

  view(): SchedulerView {
    const { server, meter, loopLag } = this.#parts;
    const mark = this.#mark();
    if (mark.at - this.#last.at >= RATE_SECONDS) this.#from = this.#last;
    const rateSeconds = mark.at - this.#from.at;
    const perSecond = (count: number): number => (rateSeconds > 0 ? count / rateSeconds : 0);
    const view = {
      dialect: server.dialect,
      atSeconds: mark.at,
      events: this.#events(mark.at),
      eventCount: server.scheduler.size,
      callbacks: mark.callbacks,
      callbacksPerSecond: perSecond(mark.callbacks - this.#from.callbacks),
      callbackShare: perSecond(mark.callbackSeconds - this.#from.callbackSeconds),
      rateSeconds,
      slowest: meter.slowOfLate(),
      loopLag: loopLag.measures(),
    };
    if (mark.at - this.#last.at >= RATE_SECONDS) this.#last = mark;
    return view;
  }

  #events(now: number): EventView[] {
    const { scheduler, dialect, posix } = this.#parts.server;
    const descriptions = new Map(posix.openDescriptors().map(({ fd, description }) => [fd, description]));
    const views: EventView[] = [];
    for (const event of scheduler.events()) {
      if (views.length === MAX_VIEWED_EVENTS) break;
      views.push(eventView(event, dialect, now, descriptions.get(event.fd)));
    }
    return views;
  }

  #mark(): Mark {
    const { clock, meter } = this.#parts;
    const { callbacks, callbackSeconds } = meter.measures();
    return { at: clock.now(), callbacks, callbackSeconds };
  }
}

function eventView(
  event: EventDescription,
  dialect: Dialect,
  now: number,
  description: string | undefined,
): EventView {
  const { id, mode, fd, timeoutSeconds, masked = false, callbackName } = event;
  const isTimed = (mode & TIMEOUT) !== 0;
  const asksForDescriptor = (mode & ANY_DESCRIPTOR_MODE) !== 0;
  return {
    id,
    mode: modeName(mode),
    fd: asksForDescriptor ? fd : null,
    timeoutSeconds: isTimed ? (Number.isFinite(timeoutSeconds) ? timeoutSeconds : 'infinite') : null,
    dueInSeconds: isTimed ? dueIn(event, dialect, now) : null,
    masked,
    purpose: [asksForDescriptor && description, callbackName].filter(Boolean).join(': '),
  };
}

/** tapdisk2's scheduler counts whole seconds, which wrap to 32 bits (rules E4, E6). */
function dueIn({ deadlineSeconds }: EventDescription, dialect: Dialect, now: number): number | 'never' {
  if (dialect === 'tapdisk2') return (deadlineSeconds - Math.floor(now)) | 0;
  return Number.isFinite(deadlineSeconds) ? deadlineSeconds - now : 'never';
}
