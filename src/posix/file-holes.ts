// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A part of a file, in bytes, without its end. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
}

/** Called once with the holes of a file, in order, or with the reason why they are not known, for people. */
export type HolesDone = (holes: readonly FileRange[] | string) => void;

/**
 * Reads where an open file has holes. The last hole has no end.
 *
 * @param othersWrite whether others than this process may write to the file
 * @param fd must stay open until `done` is called
 */
export type ReadHoles = (fd: number, othersWrite: boolean, done: HolesDone) => void;
