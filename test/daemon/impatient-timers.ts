// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { nodeTimers, type Timers } from '../../src/posix/timers.js';

/** Timers that do not wait, and what they were to wait for, in milliseconds. */
export function impatientTimers(): { readonly timers: Timers; readonly waits: number[] } {
  const waits: number[] = [];
  const setTimeout = (callback: () => void, milliseconds: number) => {
    waits.push(milliseconds);
    return nodeTimers.setTimeout(callback, 0);
  };
  return { timers: { ...nodeTimers, setTimeout }, waits };
}

/** A program that does not end by itself. */
export const ENDLESS = '#!/bin/sh\nexec sleep 1000\n';
