// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done } from './driver.js';

/** Makes calls at once, and completes when all have, with 0 or the first error. */
export function several(calls: readonly ((done: Done) => void)[], done: Done): void {
  let left = calls.length;
  let first = 0;
  if (left === 0) done(0);
  for (const call of calls) {
    call((result) => {
      if (result < 0 && first === 0) first = result;
      left--;
      if (left === 0) done(first);
    });
  }
}
