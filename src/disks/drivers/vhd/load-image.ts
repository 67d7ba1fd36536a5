// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { batBytes, batOf, type BlockShape, blockShape } from './bat.js';
import { BatmapHeader, batmapBytes, mayHaveBatmap } from './batmap.js';
import { checkPlaces, type PlaceFaults } from './block-places.js';
import { roundUp } from './bytes.js';
import { DiskType, type Footer, FOOTER_BYTES } from './footer.js';
import { Header, HEADER_BYTES } from './header.js';
import {
  blockShortfall,
  checkBat,
  checkFooter,
  checkLocators,
  checkTableSize,
  fixedShortfall,
  type Report,
} from './image-faults.js';
import type { ImageFile } from './image-file.js';
import { isEmpty, locatorSpace } from './locator.js';
import { readCopy, readEndFooter } from './read-footers.js';
import type { Steps } from './steps.js';
import type { VhdFault } from './vhd-error.js';

/** What follows the footer in a dynamic or differencing image. */
export interface Blocks {
  readonly header: Header;
  readonly bat: Uint32Array;
  readonly shape: BlockShape;
  /** Where the metadata ends, in sectors (V25). */
  readonly metadataEnd: number;
  readonly places: PlaceFaults;
}

/** An image's metadata, as far as it can be read. */
export interface LoadedImage {
  readonly file: ImageFile;
  /** The footer at the end, if it is valid, and its length there. */
  readonly endFooter: Footer | undefined;
  /** Bytes that the footer at the end takes: 512, 511, or 0 without a valid one. */
  readonly endFooterBytes: number;
  /** The copy at the head, if it is valid. */
  readonly copy: Footer | undefined;
  /** The one that counts (V9, V10). */
  readonly footer: Footer | undefined;
  readonly header: Header | undefined;
  readonly blocks: Blocks | undefined;
  readonly batmap:
    | { readonly header: BatmapHeader; readonly map: Uint8Array; readonly isValid: boolean }
    | undefined;
  /** Why it cannot be opened, what was found first before what was found later. */
  readonly faults: readonly VhdFault[];
  /** Why it cannot be opened for writing, though it can be for reading. */
  readonly writeFault: VhdFault | undefined;
}

/** Reads an image's metadata and checks all of it by itself, without its parents. Throws only FileError. */
export function* loadImage(file: ImageFile): Steps<LoadedImage> {
  const faults: VhdFault[] = [];
  const fault: Report = (kind, field, problem, remedy) => {
    faults.push({ kind, file: file.path, field, problem, remedy });
  };
  const { endFooter, endFooterBytes, endProblem } = yield* readEndFooter(file);
  const { copy, problem: copyProblem } = yield* readCopy(file, endFooter);
  const footer = endFooter ?? copy;
  const loaded = { file, endFooter, endFooterBytes, copy, footer };
  const nothing = { header: undefined, blocks: undefined, batmap: undefined, faults, writeFault: undefined };
  if (!footer) {
    const found = `at the end ${endProblem}, in the copy at the head ${copyProblem}`;
    fault(
      'bad-footer',
      'footer',
      found,
      'without a footer nothing of it can be read: restore it from a backup',
    );
    return { ...loaded, ...nothing };
  }
  checkFooter(footer, fault);
  const writeFault = { ...nothing, writeFault: fixedShortfall(file, footer, endFooterBytes) };
  if (footer.type !== DiskType.dynamic && footer.type !== DiskType.differencing)
    return { ...loaded, ...writeFault };

  const header = new Header(yield* file.readPadded(footer.dataOffset, HEADER_BYTES));
  const wrong =
    footer.dataOffset + HEADER_BYTES > file.length
      ? {
          field: 'data offset',
          problem: `${footer.dataOffset}: the header would end after the end of the file`,
        }
      : header.problem();
  if (wrong) {
    fault(
      'bad-header',
      wrong.field,
      wrong.problem,
      'restore the image from a backup; vhd check lists all there is to see',
    );
    return { ...loaded, ...nothing, header: wrong.field === 'data offset' ? undefined : header };
  }
  checkLocators(file, footer, header, fault);
  const shape = blockShape(header.blockBytes);
  const size = checkTableSize(file, footer, header, shape, fault);
  if (size === undefined) return { ...loaded, ...nothing, header };
  const bat = batOf(yield* file.readPadded(header.tableOffset, size));
  const batmap = yield* readBatmap(file, footer, header);
  if (batmap?.header.hasKeyHash) {
    fault(
      'unsupported',
      'batmap key hash',
      'the data is encrypted',
      'decrypt it with the tools that encrypted it',
    );
  }
  const metadataEnd = endOfMetadata(file, footer, header, batmap);
  const dataEnd = Math.floor((file.length - endFooterBytes) / SECTOR_SIZE);
  const places = checkPlaces(bat, shape, { metadataEnd, dataEnd, diskSectors: footer.sectors });
  checkBat(places, bat, metadataEnd, fault);
  return {
    ...loaded,
    header,
    batmap,
    blocks: { header, bat, shape, metadataEnd, places },
    faults,
    writeFault: blockShortfall(file, places),
  };
}

function* readBatmap(file: ImageFile, footer: Footer, header: Header): Steps<LoadedImage['batmap']> {
  if (!mayHaveBatmap(footer)) return undefined;
  const at = header.tableOffset + batBytes(header.entries);
  const batmap = new BatmapHeader(yield* file.readPadded(at, SECTOR_SIZE));
  if (!batmap.hasCookie) return undefined;
  const used = batmap.usedBytes(footer);
  const length = mapBytes(batmap, header);
  if (length < used || batmap.offset < at + SECTOR_SIZE || batmap.offset + length > file.length) {
    return { header: batmap, map: new Uint8Array(0), isValid: false };
  }
  const map = yield* file.read(batmap.offset, length);
  return { header: batmap, map, isValid: batmap.hasValidChecksum(map.subarray(0, used)) };
}

/** The size of a map: at most what its header states, and one entry for each block. */
function mapBytes(batmap: BatmapHeader, { entries }: Header): number {
  return Math.min(batmap.size, batmapBytes(entries));
}

/**
 * In sectors (V25). Locators that lie outside of the file are none of it; nor are those of a disk without a parent,
 * which vhd-lib leaves where it took them from.
 */
function endOfMetadata(
  file: ImageFile,
  footer: Footer,
  header: Header,
  batmap: LoadedImage['batmap'],
): number {
  const tableEnd = header.tableOffset + batBytes(header.entries);
  const ends = [FOOTER_BYTES, footer.dataOffset + HEADER_BYTES, tableEnd];
  if (batmap) {
    const { offset } = batmap.header;
    ends.push(tableEnd + SECTOR_SIZE);
    // Where a map lies that is wrong is as uncertain as what it says, unless it is where it always is.
    if (batmap.isValid || offset === tableEnd + SECTOR_SIZE)
      ends.push(offset + mapBytes(batmap.header, header));
  }
  for (const locator of footer.type === DiskType.differencing ? header.locators : []) {
    const end = locator.offset + locatorSpace(locator);
    if (!isEmpty(locator) && end <= file.length) ends.push(end);
  }
  return roundUp(Math.max(...ends), SECTOR_SIZE) / SECTOR_SIZE;
}
