// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { Done } from '../vbd/index.js';
import type { FileCalls } from './file-calls.js';

/** Reads until `bytes` is full; behind the end of the file it is filled with zeroes. Completes with 0 or a negative errno. */
export function readWhole(
  files: FileCalls,
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: Done,
): void {
  files.read(fd, bytes, position, (result) => {
    if (result < 0) {
      done(result);
    } else if (result === bytes.length) {
      done(0);
    } else if (result === 0) {
      bytes.fill(0);
      done(0);
    } else {
      readWhole(files, fd, bytes.subarray(result), position + result, done);
    }
  });
}

/** Writes all of `bytes`. After an error part of them may be written. Completes with 0 or a negative errno. */
export function writeWhole(
  files: FileCalls,
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: Done,
): void {
  files.write(fd, bytes, position, (result) => {
    if (result < 0) {
      done(result);
    } else if (result === bytes.length) {
      done(0);
    } else if (result === 0) {
      // A file takes something or says why not; going round for ever on nothing would help nobody.
      done(-errno.EIO);
    } else {
      writeWhole(files, fd, bytes.subarray(result), position + result, done);
    }
  });
}
