// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { POLL_EXCEPT_FD, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../scheduler/event.js';
import { MODE_NAMES, type ModeName } from './vector.js';

const bits: Readonly<Record<ModeName, number>> = {
  READ: POLL_READ_FD,
  WRITE: POLL_WRITE_FD,
  EXCEPT: POLL_EXCEPT_FD,
  TIMEOUT,
};

/** The mask of an array of mode names. */
export function modeMask(names: readonly ModeName[]): number {
  return names.reduce((mask, name) => mask | bits[name], 0);
}

/** The names in a mask, in the order of the bits. */
export function modeNames(mask: number): ModeName[] {
  return MODE_NAMES.filter((name) => mask & bits[name]);
}
