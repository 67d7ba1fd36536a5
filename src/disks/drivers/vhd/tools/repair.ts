// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { areZero, uuidText } from '../bytes.js';
import { DiskType, type Footer, POISONED_COOKIE } from '../footer.js';
import type { DiskCalls } from '../disk.js';
import type { LoadedImage } from '../load-image.js';
import { isBatmapWrong, resetBatmap } from '../reset-batmap.js';
import type { Steps } from '../steps.js';
import { VhdError } from '../vhd-error.js';
import { endFooterPosition, writeFooters } from './footers.js';
import { withImage, withLockedImage } from './open-image.js';

export interface RepairOptions {
  readonly path: string;
  /** Otherwise only reports what would be done. */
  readonly write: boolean;
  /** Takes the copy at the head for the footer that counts. */
  readonly fromCopy?: boolean;
  /** For an image that has none: 16 bytes. */
  readonly uuid: Uint8Array;
}

/** What was done, or would be, in sentences; empty if nothing is to be done. */
export type RepairResult = readonly string[];

/**
 * Rewrites both footers from the one that is valid, a uuid where there is none, and an empty batmap for one that is wrong
 * (V79). It mends nothing else: blocks and their places stay as they are.
 *
 * @throws VhdError when no footer is valid, or a journal is in progress; FileError
 */
export function repair(calls: DiskCalls, options: RepairOptions): Steps<RepairResult> {
  const mend = (image: LoadedImage): Steps<RepairResult> => repairImage(image, options);
  return options.write
    ? withLockedImage(calls, options.path, mend, true)
    : withImage(calls, options.path, mend);
}

function* repairImage(
  image: LoadedImage,
  { write, fromCopy = false, uuid }: RepairOptions,
): Steps<RepairResult> {
  const source = fromCopy ? image.copy : image.footer;
  const fault = image.faults.find(
    ({ kind }) => kind === 'bad-footer' || kind === 'disabled' || kind === 'unsupported',
  );
  if (fault) throw new VhdError(fault);
  if (!source || source.cookie === POISONED_COOKIE) {
    throw new VhdError({
      kind: 'bad-footer',
      file: image.file.path,
      field: 'footer copy',
      problem: 'it is not valid',
      remedy: 'repair without --from-copy takes the footer at the end',
    });
  }
  const done: string[] = [];
  let footer: Footer = source;
  if (areZero(source.uuid)) {
    footer = source.with({ uuid });
    done.push(`the image gets the uuid ${uuidText(uuid)}`);
  }
  if (!image.endFooter?.equals(footer)) done.push('the footer at the end is written');
  const isFixed = footer.type === DiskType.fixed;
  if (!isFixed && !image.copy?.equals(footer)) done.push('the copy of the footer at the head is written');
  const hasFooters = done.length > 0;
  const hasBatmap = image.faults.length === 0 && isBatmapWrong(image);
  if (hasBatmap) done.push('the batmap is made empty');
  if (write && hasBatmap) yield* resetBatmap(image);
  if (write && hasFooters) yield* writeFooters(image, footer, endFooterPosition(image));
  return done;
}
