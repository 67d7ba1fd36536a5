// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../driver.js';
import { endOfBlocks } from '../bat.js';
import { roundUp } from '../bytes.js';
import { DiskType, type Footer } from '../footer.js';
import type { Blocks, LoadedImage } from '../load-image.js';
import type { Steps } from '../steps.js';

/**
 * Makes the copy at the head of an image with blocks the footer that counts, and durable, so that the one at the end may be
 * dropped (V63h).
 *
 * @throws FileError
 */
export function* ensureCopy({ file, copy, footer }: LoadedImage): Steps<void> {
  const current = footer as Footer;
  if (copy?.equals(current) === true) return;
  yield* file.write(0, current.bytes);
  yield* file.sync();
}

/** Where the footer at the end belongs, in bytes. */
export function endFooterPosition(image: LoadedImage): number {
  const { file, blocks, endFooter, endFooterBytes } = image;
  if (!file.isRegular) return file.length - SECTOR_SIZE;
  if (endFooter) return file.length - endFooterBytes;
  // Where the blocks end cannot be known when the BAT is broken: then nothing is cut off.
  if (!blocks || image.faults.length > 0 || image.writeFault) return roundUp(file.length, SECTOR_SIZE);
  return positionAfterBlocks(image, blocks, blocks.metadataEnd);
}

/**
 * Where the footer at the end belongs when the metadata has grown, in bytes.
 *
 * @param metadataEnd in sectors
 */
export function positionAfterBlocks(
  { file }: LoadedImage,
  { bat, shape }: Blocks,
  metadataEnd: number,
): number {
  if (!file.isRegular) return file.length - SECTOR_SIZE;
  return endOfBlocks(bat, shape, metadataEnd) * SECTOR_SIZE;
}

/**
 * Writes both footers: the one at the end first, since it counts, and the copy when that is durable. In whatever state of
 * this the power goes, one of them is whole.
 *
 * @param position of the footer at the end, in bytes; the file is cut after it
 * @throws FileError
 */
export function* writeFooters(image: LoadedImage, footer: Footer, position: number): Steps<void> {
  const { file } = image;
  yield* file.write(position, footer.bytes);
  if (file.isRegular) yield* file.truncate(position + footer.bytes.length);
  yield* file.sync();
  if (footer.type === DiskType.fixed) return;
  yield* file.write(0, footer.bytes);
  yield* file.sync();
}
