// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, inWords } from './errno.js';
import type { FileDone, FileStatus, StatusDone } from './files.js';
import { SystemError } from './system-error.js';

/** Waits for a file call. @returns its result @throws (rejects with) SystemError when that is negative */
export function fileResult(call: (done: FileDone) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    call((result) => (result < 0 ? reject(failed(result)) : resolve(result)));
  });
}

/** Waits for stat, lstat or fstat. @returns undefined for ENOENT @throws (rejects with) SystemError */
export function fileStatus(call: (done: StatusDone) => void): Promise<FileStatus | undefined> {
  return new Promise((resolve, reject) => {
    call((result, status) => {
      if (result === 0 || result === -errno.ENOENT) resolve(status);
      else reject(failed(result));
    });
  });
}

function failed(result: number): SystemError {
  return new SystemError(result, inWords(-result));
}
