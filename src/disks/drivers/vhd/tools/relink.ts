// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../driver.js';
import type { Link } from '../chain.js';
import type { DiskCalls } from '../disk.js';
import { DiskType } from '../footer.js';
import { HEADER_BYTES } from '../header.js';
import type { Blocks, LoadedImage } from '../load-image.js';
import { emptyLocator, LOCATOR_COUNT } from '../locator.js';
import type { Steps } from '../steps.js';
import { VhdError } from '../vhd-error.js';
import { ensureCopy, positionAfterBlocks, writeFooters } from './footers.js';
import { frontSpace } from './front-space.js';
import { newLocators, parentFields } from './new-image.js';
import { withLockedImage } from './open-image.js';
import { parentOf } from './snapshot.js';

/**
 * Makes another image the parent of a child: uuid, name, time stamp and locators (V74). The new header goes into free room
 * before the first block, and the footers switch to it when it is durable: a header has two sectors, which a loss of power
 * could tear if it were written in its place. Whether the disk stays the same is the caller's to know.
 *
 * @throws VhdError, FileError
 */
export function* relink(calls: DiskCalls, child: string, parent: Link): Steps<void> {
  const description = yield* parentOf(calls, parent, child);
  yield* withLockedImage(calls, child, (image) => writeHeader(image, description));
}

function* writeHeader(image: LoadedImage, parent: Parameters<typeof parentFields>[0]): Steps<void> {
  const { footer, file } = image;
  const blocks = image.blocks as Blocks;
  if (footer?.type !== DiskType.differencing) {
    throw new VhdError({
      kind: 'unsupported',
      file: file.path,
      field: 'disk type',
      problem: 'it has no parent',
      remedy: 'relink only children',
    });
  }
  const sectors = newLocators(parent.path, 0).reduce((sum, { bytes }) => sum + bytes.length / SECTOR_SIZE, 0);
  yield* ensureCopy(image);
  const room = yield* frontSpace(image, blocks, HEADER_BYTES / SECTOR_SIZE + sectors);
  const headerAt = room * SECTOR_SIZE;
  const locators = newLocators(parent.path, headerAt + HEADER_BYTES);
  const entries = locators.map(({ entry }) => entry);
  while (entries.length < LOCATOR_COUNT) entries.push(emptyLocator);
  const header = blocks.header.with({ ...parentFields(parent), locators: entries });
  yield* file.write(headerAt, header.bytes);
  for (const { entry, bytes } of locators) yield* file.write(entry.offset, bytes);
  yield* file.sync();
  const metadataEnd = Math.max(blocks.metadataEnd, room + HEADER_BYTES / SECTOR_SIZE + sectors);
  const position = positionAfterBlocks(image, blocks, metadataEnd);
  yield* writeFooters(image, footer.with({ dataOffset: headerAt }), position);
}
