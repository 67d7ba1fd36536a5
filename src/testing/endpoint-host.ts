// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventQueue } from './event-queue.js';
import type { Random } from './random.js';
import type { Segment } from './segment.js';

/** What an endpoint, of type End, needs of the host that it is on. */
export interface EndpointHost<End> {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly buffers: BufferSizes;
  /** Sends a connection's first segment to the listener at the endpoint's remote address. */
  sendSyn(from: End): void;
  send(segment: Segment<End>, to: End): void;
  /** The endpoint does nothing any more. */
  remove(endpoint: End): void;
}

/** The sizes of a simulated socket's buffers. */
export interface BufferSizes {
  /** Bytes that write takes before they are acknowledged. */
  readonly sendBytes: number;
  /** Bytes that are taken in before they are read. */
  readonly receiveBytes: number;
  /** Bytes in one segment, at most; each is cut at random. */
  readonly segmentBytes: number;
}
