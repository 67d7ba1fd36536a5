// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Endpoint } from './endpoint.js';
import type { EventQueue } from './event-queue.js';
import type { Random } from './random.js';
import type { Segment } from './segment.js';

/** What an endpoint needs of the host that it is on. */
export interface EndpointHost {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly buffers: BufferSizes;
  /** Puts a connection's first segment on its way to whoever listens at the endpoint's remote address. */
  sendSyn(from: Endpoint): void;
  send(segment: Segment, to: Endpoint): void;
  /** The endpoint does nothing any more. */
  remove(endpoint: Endpoint): void;
}

export interface BufferSizes {
  /** Bytes that write takes before they are acknowledged. */
  readonly sendBytes: number;
  /** Bytes that are taken in before they are read. */
  readonly receiveBytes: number;
  /** Bytes in one segment, at most; each is cut at random. */
  readonly segmentBytes: number;
}
