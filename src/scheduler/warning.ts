// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type EventDescription, modeName } from './event.js';

/** Something that would go unseen in C, or hang it. */
export interface SchedulerWarning {
  /**
   * `pass-cut`: a pass called as many callbacks as it may; `event` is the one whose turn it was.
   * `bad-descriptor`: select failed as the descriptor of `event` is not open.
   */
  readonly kind: 'pass-cut' | 'bad-descriptor';
  readonly event: EventDescription;
  /** One sentence that names the event. */
  readonly message: string;
}

/** The events whose descriptors are not open, each listed once. */
export function eventsOnDescriptors<Event>(
  descriptors: readonly number[],
  eventsOn: (fd: number) => Iterable<Event>,
): Event[] {
  return [...new Set(descriptors.flatMap((fd) => [...eventsOn(fd)]))];
}

export function badDescriptorWarning(event: EventDescription): SchedulerWarning {
  const message = `select failed: descriptor ${event.fd} of ${describeEvent(event)} is not open`;
  return { kind: 'bad-descriptor', event, message };
}

export function passCutWarning(event: EventDescription, callbacks: number): SchedulerWarning {
  const message = `a pass was cut after ${callbacks} callbacks, at ${describeEvent(event)}; it goes on in the next wait`;
  return { kind: 'pass-cut', event, message };
}

function describeEvent({ id, mode, fd, timeoutSeconds }: EventDescription): string {
  return `event ${id} (${modeName(mode)}, descriptor ${fd}, timeout ${timeoutSeconds} s)`;
}
