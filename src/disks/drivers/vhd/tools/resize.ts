// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../driver.js';
import { batBytes, batSector, ENTRIES_PER_SECTOR, entriesFor, maxSectors, NOT_ALLOCATED } from '../bat.js';
import { BatmapHeader, batmapBytes, mustHaveBatmap } from '../batmap.js';
import { endOfRun, isSet, setRange } from '../bits.js';
import type { DiskCalls } from '../disk.js';
import type { Footer } from '../footer.js';
import { HEADER_BYTES } from '../header.js';
import type { Blocks, LoadedImage } from '../load-image.js';
import { emptyBatmap } from '../reset-batmap.js';
import type { Steps } from '../steps.js';
import { VhdError } from '../vhd-error.js';
import { ensureCopy, endFooterPosition, positionAfterBlocks, writeFooters } from './footers.js';
import { frontSpace, type OnBlocksMoved } from './front-space.js';
import { withLockedImage } from './open-image.js';

export interface ResizeOptions {
  readonly path: string;
  /** In bytes: whole sectors, not less than it has. */
  readonly size: number;
  readonly onBlocksMoved?: OnBlocksMoved;
}

export interface ResizeResult {
  /** In bytes. */
  readonly before: number;
  readonly after: number;
  /** How many blocks had to make room for a longer BAT. */
  readonly movedBlocks: number;
}

/**
 * Makes a dynamic or differencing image larger. As long as its BAT has entries for the new size only the footers are
 * written (V76); otherwise blocks make room for a longer BAT, which the footers then switch to (V77). At any moment the image
 * is whole, with the old size or the new one.
 *
 * @throws VhdError `unsupported` for a fixed image or a smaller size; FileError
 */
export function resize(calls: DiskCalls, options: ResizeOptions): Steps<ResizeResult> {
  return withLockedImage(calls, options.path, (image) => resizeImage(image, options));
}

/** @throws VhdError for an image that keeps its size or would become smaller; RangeError unless whole sectors */
export function* resizeImage(
  image: LoadedImage,
  { size, onBlocksMoved }: Pick<ResizeOptions, 'size' | 'onBlocksMoved'>,
): Steps<ResizeResult> {
  const { blocks, file } = image;
  const footer = image.footer as Footer;
  const refuse = (problem: string, remedy: string): VhdError =>
    new VhdError({ kind: 'unsupported', file: file.path, field: 'current size', problem, remedy });
  if (!blocks) {
    throw refuse('a fixed image keeps its size', 'vhd convert it into a dynamic one');
  }
  const before = footer.currentSize;
  if (size < before)
    throw refuse(`${before} bytes cannot become ${size}`, 'vhd convert it into a smaller image');
  if (size % SECTOR_SIZE !== 0) throw new RangeError(`size ${size}: expected whole sectors`);
  if (size === before) return { before, after: size, movedBlocks: 0 };
  yield* clearAfterEnd(image, blocks, footer.sectors);
  yield* ensureCopy(image);
  if (size / SECTOR_SIZE <= maxSectors(blocks.header)) {
    yield* writeFooters(image, footer.with({ currentSize: size }), endFooterPosition(image));
    return { before, after: size, movedBlocks: 0 };
  }
  let movedBlocks = 0;
  const countMoved = (moved: number): void => {
    movedBlocks = moved;
    onBlocksMoved?.(moved);
  };
  yield* lengthenTable(image, blocks, footer, size, countMoved);
  return { before, after: size, movedBlocks };
}

/** Sectors that blocks have after the end of the disk would become part of it: their bits are cleared. */
function* clearAfterEnd(image: LoadedImage, { bat, shape }: Blocks, sectors: number): Steps<void> {
  const { file } = image;
  const end = Math.floor(sectors / shape.sectors);
  let isCleared = false;
  for (const [index, place] of bat.subarray(end).entries()) {
    if (place === NOT_ALLOCATED) continue;
    const used = Math.max(0, sectors - (end + index) * shape.sectors);
    const bits = yield* file.read(place * SECTOR_SIZE, shape.bitmapSectors * SECTOR_SIZE);
    if (endOfRun(bits, used, shape.sectors) === shape.sectors && !isSet(bits, used)) continue;
    const kept = new Uint8Array(bits.length);
    setRange(kept, 0, used);
    const cleared = bits.map((byte, at) => byte & (kept[at] as number));
    // It may vouch for what is cleared (V30).
    if (!isCleared) yield* emptyBatmap(image);
    isCleared = true;
    yield* file.write(place * SECTOR_SIZE, cleared);
  }
  if (isCleared) yield* file.sync();
}

/** Writes header, BAT and batmap into room before the first block, and has the footers point there when they are durable. */
function* lengthenTable(
  image: LoadedImage,
  blocks: Blocks,
  footer: Footer,
  size: number,
  onBlocksMoved: OnBlocksMoved,
): Steps<void> {
  const { file } = image;
  const { bat, header, shape } = blocks;
  const entries = entriesFor(size / SECTOR_SIZE, shape);
  const table = batBytes(entries);
  const batmap = mustHaveBatmap(footer) ? SECTOR_SIZE + batmapBytes(entries) : 0;
  const room = yield* frontSpace(image, blocks, (HEADER_BYTES + table + batmap) / SECTOR_SIZE, onBlocksMoved);
  const headerAt = room * SECTOR_SIZE;
  const tableAt = headerAt + HEADER_BYTES;
  yield* file.write(headerAt, header.with({ tableOffset: tableAt, entries }).bytes);
  const entryOf = (index: number): number => bat[index] ?? NOT_ALLOCATED;
  for (let first = 0; first < table / SECTOR_SIZE; first += ENTRIES_PER_SECTOR) {
    const count = Math.min(ENTRIES_PER_SECTOR, table / SECTOR_SIZE - first);
    const sectors = Array.from({ length: count }, (_, at) => batSector(entryOf, entries, first + at));
    yield* file.write(tableAt + first * SECTOR_SIZE, Buffer.concat(sectors));
  }
  if (batmap > 0) {
    const mapAt = tableAt + table + SECTOR_SIZE;
    yield* file.write(tableAt + table, BatmapHeader.create(mapAt, entries).bytes);
    yield* file.write(mapAt, new Uint8Array(batmapBytes(entries)));
  }
  yield* file.sync();
  const metadataEnd = Math.max(blocks.metadataEnd, (tableAt + table + batmap) / SECTOR_SIZE);
  const position = positionAfterBlocks(image, blocks, metadataEnd);
  yield* writeFooters(image, footer.with({ currentSize: size, dataOffset: headerAt }), position);
}
