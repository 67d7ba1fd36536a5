// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../driver.js';
import {
  alignedPlace,
  batBytes,
  batSector,
  endOfBlocks,
  ENTRIES_PER_SECTOR,
  MAX_FILE_SECTORS,
  NOT_ALLOCATED,
} from '../bat.js';
import { roundUp } from '../bytes.js';
import { type Footer, FOOTER_BYTES } from '../footer.js';
import { HEADER_BYTES } from '../header.js';
import type { Blocks, LoadedImage } from '../load-image.js';
import { isEmpty, locatorSpace } from '../locator.js';
import { type Steps } from '../steps.js';
import { VhdError } from '../vhd-error.js';

/** Called with how many blocks were moved. */
export type OnBlocksMoved = (blocks: number) => void;

/**
 * Finds room for new metadata before the first block, and moves blocks to the end of the file until there is some (V77). A
 * block is copied and synced before its entry of the BAT, one sector, is written and synced: at any moment the entry points
 * to the whole block. Needs no journal. The footer at the end is overwritten: the copy at the head must be current.
 *
 * @returns the first sector of the room
 * @throws VhdError `unsupported` on a block device, or when the file would be too long; FileError
 */
export function* frontSpace(
  image: LoadedImage,
  blocks: Blocks,
  sectors: number,
  onBlocksMoved: OnBlocksMoved = () => {},
): Steps<number> {
  const inUse = usedByMetadata(image, blocks);
  for (let moved = 0; ; moved++) {
    const first = firstBlock(blocks.bat);
    const limit = first === undefined ? Number.POSITIVE_INFINITY : (blocks.bat[first] as number);
    const room = firstGap(inUse, sectors, limit);
    if (room !== undefined) return room;
    // Without a block there is room after the metadata.
    yield* moveToEnd(image, blocks, first as number);
    onBlocksMoved(moved + 1);
  }
}

/** The sectors that metadata takes, as ranges. */
function usedByMetadata({ footer, batmap }: LoadedImage, { header }: Blocks): [from: number, to: number][] {
  const range = (position: number, bytes: number): [number, number] => [
    Math.floor(position / SECTOR_SIZE),
    roundUp(position + bytes, SECTOR_SIZE) / SECTOR_SIZE,
  ];
  const table = batBytes(header.entries);
  const ranges = [
    range(0, FOOTER_BYTES),
    range((footer as Footer).dataOffset, HEADER_BYTES),
    range(header.tableOffset, table),
  ];
  if (batmap) {
    ranges.push(
      range(header.tableOffset + table, SECTOR_SIZE),
      range(batmap.header.offset, batmap.map.length),
    );
  }
  for (const locator of header.locators) {
    if (!isEmpty(locator)) ranges.push(range(locator.offset, locatorSpace(locator)));
  }
  return ranges.toSorted(([a], [b]) => a - b);
}

function firstGap(ranges: readonly [number, number][], sectors: number, limit: number): number | undefined {
  let from = 0;
  for (const [start, end] of ranges) {
    if (start - from >= sectors) return from;
    from = Math.max(from, end);
  }
  return limit - from >= sectors ? from : undefined;
}

function firstBlock(bat: Uint32Array): number | undefined {
  let first: number | undefined;
  let place = NOT_ALLOCATED;
  for (const [block, entry] of bat.entries()) {
    if (entry < place) {
      place = entry;
      first = block;
    }
  }
  return first;
}

function* moveToEnd(
  image: LoadedImage,
  { bat, shape, header, metadataEnd }: Blocks,
  block: number,
): Steps<void> {
  const { file } = image;
  const from = bat[block] as number;
  const length = shape.bitmapSectors + shape.sectors;
  const place = alignedPlace(endOfBlocks(bat, shape, metadataEnd), shape);
  if (!file.isRegular || place + length > MAX_FILE_SECTORS) {
    throw new VhdError({
      kind: 'unsupported',
      file: file.path,
      field: 'BAT',
      problem: 'there is no room for new metadata, and none to move blocks to',
      remedy: 'vhd convert it into a new image',
    });
  }
  const bytes = yield* file.readPadded(from * SECTOR_SIZE, length * SECTOR_SIZE);
  // What a reader takes for the footer must never be a sector of the block: the file is longer before any of it is there.
  yield* file.truncate((place + length + 1) * SECTOR_SIZE);
  yield* file.sync();
  yield* file.write(place * SECTOR_SIZE, bytes);
  yield* file.sync();
  bat[block] = place;
  const sector = Math.floor(block / ENTRIES_PER_SECTOR);
  yield* file.write(
    header.tableOffset + sector * SECTOR_SIZE,
    batSector((index) => bat[index] as number, bat.length, sector),
  );
  yield* file.sync();
}
