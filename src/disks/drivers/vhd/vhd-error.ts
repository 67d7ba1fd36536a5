// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, strerror } from '../../../posix/errno.js';
import { SystemError } from '../../../posix/system-error.js';

/** Why an image is refused, in the order of the exit statuses of `tapdisk-ts vhd`. */
export const VHD_ERROR_KINDS = [
  'bad-footer',
  'bad-header',
  'bad-bat',
  'truncated',
  'unsupported',
  'disabled',
  'parent-missing',
  'parent-mismatch',
  'parent-cycle',
  'parent-refused',
] as const;

/** What is wrong with a VHD, by kind; stable. */
export type VhdErrorKind = (typeof VHD_ERROR_KINDS)[number];

const numbers: Readonly<Record<VhdErrorKind, number>> = {
  'bad-footer': errno.EINVAL,
  'bad-header': errno.EINVAL,
  'bad-bat': errno.EINVAL,
  truncated: errno.EIO,
  unsupported: errno.EOPNOTSUPP,
  disabled: errno.EPERM,
  'parent-missing': errno.ENOENT,
  'parent-mismatch': errno.EINVAL,
  'parent-cycle': errno.ELOOP,
  'parent-refused': errno.EACCES,
};

/** What is wrong with an image, and what to do about it. */
export interface VhdFault {
  readonly kind: VhdErrorKind;
  readonly file: string;
  /** The field or part of the format that is at fault: `footer checksum`, `BAT entry 7`. */
  readonly field: string;
  /** What was found, and what was expected. */
  readonly problem: string;
  /** What to do; a sentence without its full stop. */
  readonly remedy: string;
}

/** An image that cannot be used, with its reason: {@link VhdFault}. */
export class VhdError extends SystemError implements VhdFault {
  override readonly name = 'VhdError';
  readonly kind: VhdErrorKind;
  readonly file: string;
  readonly field: string;
  readonly problem: string;
  readonly remedy: string;
  /** A positive errno. */
  readonly number: number;

  constructor({ kind, file, field, problem, remedy }: VhdFault) {
    super(numbers[kind], `${file}: ${kind}: ${field}: ${problem}; ${remedy}`);
    this.kind = kind;
    this.file = file;
    this.field = field;
    this.problem = problem;
    this.remedy = remedy;
    this.number = numbers[kind];
  }
}

/** A file call that failed: no fault of the image. */
export class FileError extends SystemError {
  override readonly name = 'FileError';
  readonly file: string;
  /** A positive errno. */
  readonly number: number;

  /**
   * @param number a positive errno
   * @param reason what it comes from; the errno in words unless given
   */
  constructor(file: string, action: string, number: number, reason = strerror(number)) {
    super(number, `${file}: cannot ${action}: ${reason}`);
    this.file = file;
    this.number = number;
  }
}
