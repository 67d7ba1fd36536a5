// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DiskType, Footer, FOOTER_BYTES, footerProblem } from './footer.js';
import type { ImageFile } from './image-file.js';
import { type Steps } from './steps.js';

/** A footer at the end of a file. */
export interface EndFooter {
  readonly endFooter: Footer | undefined;
  /** How many bytes it takes at the end: 512, 511, or 0 when it is not valid. */
  readonly endFooterBytes: number;
  /** Why it is not valid. */
  readonly endProblem: string;
}

/** Reads the footer at the end of a file (V9). @throws FileError */
export function* readEndFooter(file: ImageFile): Steps<EndFooter> {
  if (file.length < FOOTER_BYTES - 1) {
    return { endFooter: undefined, endFooterBytes: 0, endProblem: `the file has only ${file.length} bytes` };
  }
  const last = new Footer(yield* file.readPadded(Math.max(0, file.length - FOOTER_BYTES), FOOTER_BYTES));
  const endProblem = file.length < FOOTER_BYTES ? 'there is no room for it' : footerProblem(last);
  if (endProblem === undefined) return { endFooter: last, endFooterBytes: FOOTER_BYTES, endProblem: '' };
  // Old versions of Virtual PC wrote a footer of 511 bytes (V9).
  if ((file.length - (FOOTER_BYTES - 1)) % FOOTER_BYTES === 0) {
    const short = new Footer(yield* file.readPadded(file.length - (FOOTER_BYTES - 1), FOOTER_BYTES));
    if (footerProblem(short) === undefined) {
      return { endFooter: short, endFooterBytes: FOOTER_BYTES - 1, endProblem: '' };
    }
  }
  return { endFooter: undefined, endFooterBytes: 0, endProblem };
}

/** Reads the copy of the footer at the head, or why there is none; a fixed image has data there, and no copy. @throws FileError */
export function* readCopy(
  file: ImageFile,
  endFooter: Footer | undefined,
): Steps<{ copy: Footer | undefined; problem: string | undefined }> {
  if (endFooter?.type === DiskType.fixed || file.length < FOOTER_BYTES)
    return { copy: undefined, problem: 'there is none' };
  const copy = new Footer(yield* file.readPadded(0, FOOTER_BYTES));
  const problem =
    footerProblem(copy) ??
    (copy.type === DiskType.fixed ? 'it belongs to a fixed disk, which has no copy' : undefined);
  return { copy: problem === undefined ? copy : undefined, problem };
}
