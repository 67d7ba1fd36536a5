// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { nodeBindCall, type BindCall } from './bind-handle.js';
import { monotonicClock, type Clock } from '../clock.js';
import { DEFAULT_MAX_DESCRIPTORS } from '../shared/descriptor-table.js';
import { FIRST_DESCRIPTOR } from '../shared/free-numbers.js';
import { DEFAULT_RECEIVE_BUFFER_BYTES } from './inbound.js';
import { DEFAULT_LINGER_SECONDS } from './linger.js';
import { systemLookup, type Lookup } from '../shared/name-resolver.js';
import { DEFAULT_SEND_BUFFER_BYTES } from './outbound.js';
import { nodeTimers, type Timers } from '../timers.js';

/** What a {@link NodePosix} takes from outside; everything has a default. */
export interface NodePosixOptions {
  /** The clock that the rest reads. Default: {@link monotonicClock}. */
  readonly clock?: Clock;
  /** The first number that no descriptor gets (C: RLIMIT_NOFILE). Default: {@link DEFAULT_MAX_DESCRIPTORS}. */
  readonly maxDescriptors?: number;
  /** How names are looked up. Default: {@link systemLookup}. */
  readonly lookup?: Lookup;
  /** What select and a lingering close sleep on. Default: Node's timers. */
  readonly timers?: Timers;
  /** Bytes read ahead for a descriptor that somebody reads. Default: {@link DEFAULT_RECEIVE_BUFFER_BYTES}. */
  readonly receiveBufferBytes?: number;
  /** Bytes that write takes before the kernel does. Default: {@link DEFAULT_SEND_BUFFER_BYTES}. */
  readonly sendBufferBytes?: number;
  /** How long a closed socket may send nothing of what it still has. Default: {@link DEFAULT_LINGER_SECONDS}. */
  readonly lingerSeconds?: number;
  /** How an address is bound. Default: Node's undocumented handle, or the fallback where it is missing. */
  readonly bindCall?: BindCall;
}

/** The options with their defaults, checked. */
export function withDefaults(options: NodePosixOptions): Required<NodePosixOptions> {
  return {
    clock: options.clock ?? monotonicClock,
    maxDescriptors: checked(
      'maxDescriptors',
      options.maxDescriptors ?? DEFAULT_MAX_DESCRIPTORS,
      FIRST_DESCRIPTOR,
    ),
    lookup: options.lookup ?? systemLookup,
    timers: options.timers ?? nodeTimers,
    receiveBufferBytes: checked(
      'receiveBufferBytes',
      options.receiveBufferBytes ?? DEFAULT_RECEIVE_BUFFER_BYTES,
      1,
    ),
    sendBufferBytes: checked('sendBufferBytes', options.sendBufferBytes ?? DEFAULT_SEND_BUFFER_BYTES, 1),
    lingerSeconds: checked('lingerSeconds', options.lingerSeconds ?? DEFAULT_LINGER_SECONDS, 1),
    bindCall: options.bindCall ?? nodeBindCall(),
  };
}

function checked(name: keyof NodePosixOptions, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${name} must be a whole number of at least ${least}, not ${String(value)}`);
}
