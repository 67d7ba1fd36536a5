// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventList } from './event-list.js';

/** The events on one descriptor number. */
export class DescriptorInterest<E> {
  /** What they ask for together. */
  conditions = 0;
  /** For each of DESCRIPTOR_MODES, the events that ask for it in the order of registration. */
  readonly lists: (EventList<E> | undefined)[] = [undefined, undefined, undefined];
  /** The ready bits that the running pass has not used yet (rule P3); 0 between passes. */
  bits = 0;

  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }
}
