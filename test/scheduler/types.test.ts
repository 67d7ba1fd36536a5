// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What must not compile. The type check is the test: an error that is expected and does not come is one.

import t from 'tap';
import type { Descriptor, Posix } from '../../src/posix/posix.js';
import { type EventId, POLL_READ_FD, TIMEOUT } from '../../src/scheduler/event.js';
import type { EventRegistrar } from '../../src/scheduler/registrar.js';

export function mistakes(events: EventRegistrar, posix: Posix, fd: Descriptor, id: EventId): void {
  events.registerEvent(POLL_READ_FD | TIMEOUT, fd, 1, () => {});
  events.registerEvent(POLL_READ_FD, 3, 1, () => id);
  // @ts-expect-error mode and descriptor swapped
  events.registerEvent(fd, POLL_READ_FD, 1, () => {});
  // @ts-expect-error an event's id is no descriptor
  events.registerEvent(POLL_READ_FD, id, 1, () => {});
  // @ts-expect-error a descriptor is no event's id
  events.unregisterEvent(fd);
  // @ts-expect-error an event's id cannot be closed
  posix.close(id);
  // @ts-expect-error nothing waits for an async callback
  events.registerEvent(TIMEOUT, -1, 1, async () => {});
}

t.test('swapped arguments, ids for descriptors and async callbacks do not compile', async (t) => {
  t.type(mistakes, 'function', 'compiled with its errors expected');
});
