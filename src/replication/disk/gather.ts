// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done } from './local-disk.js';

/**
 * Completes once every part of an operation has ended: with 0, or with the error of the last part that failed.
 *
 * @param begin begins the parts; each takes a completion of its own from `part`, which may be called before `begin` returns
 */
export function gather(done: Done, begin: (part: () => Done) => void): void {
  let left = 1;
  let failure = 0;
  const ended = (result: number): void => {
    if (result < 0) failure = result;
    left -= 1;
    if (left === 0) done(failure);
  };
  begin(() => {
    left += 1;
    return ended;
  });
  ended(0);
}
