// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from './errno.js';
import type { FileCalls, FileDone } from './files.js';

/** One call of {@link FileCalls}, which may move fewer bytes than there are. */
type Transfer = (bytes: Uint8Array, position: number, done: FileDone) => void;

/**
 * Reads until `bytes` is full; beyond the end of the file it is filled with zeroes. Completes with 0 or a negative errno.
 *
 * @param onShort called first, if the file ended within `bytes`
 */
export function readWhole(
  files: Pick<FileCalls, 'read' | 'write'>,
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: FileDone,
  onShort: () => void = () => {},
): void {
  whole(
    (...part) => files.read(fd, ...part),
    bytes,
    position,
    done,
    (rest) => {
      onShort();
      rest.fill(0);
      return 0;
    },
  );
}

/** Reads until `bytes` is full. Completes with 0 or a negative errno: -EIO when the file ends before. */
export function readExactly(
  files: Pick<FileCalls, 'read'>,
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: FileDone,
): void {
  whole(
    (...part) => files.read(fd, ...part),
    bytes,
    position,
    done,
    () => -errno.EIO,
  );
}

/** Writes all of `bytes`. After an error part of them may be written. Completes with 0 or a negative errno. */
export function writeWhole(
  files: Pick<FileCalls, 'write'>,
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: FileDone,
): void {
  // A write of nothing is an error: retrying it might never end.
  whole(
    (...part) => files.write(fd, ...part),
    bytes,
    position,
    done,
    () => -errno.EIO,
  );
}

/** Goes on until all bytes are moved, or none are any more: then `onNothing` says of the rest how that ends. */
function whole(
  transfer: Transfer,
  bytes: Uint8Array,
  position: number,
  done: FileDone,
  onNothing: (rest: Uint8Array) => number,
): void {
  transfer(bytes, position, (result) => {
    if (result < 0) done(result);
    else if (result === bytes.length) done(0);
    else if (result === 0) done(onNothing(bytes));
    else whole(transfer, bytes.subarray(result), position + result, done, onNothing);
  });
}
