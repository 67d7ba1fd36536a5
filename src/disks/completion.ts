// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode, strerror } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import type { DoneWithReason } from './driver.js';

/**
 * A call that completes with a result and a reason, as a promise.
 *
 * @throws (rejects with) SystemError with the result as its errno, and the reason, or the errno in words, as its message
 */
export function completion(call: (done: DoneWithReason) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((result, reason) => {
      if (result >= 0) resolve();
      else reject(new SystemError(result, reason ?? `${errnoCode(result)} (${strerror(-result)})`));
    });
  });
}
