// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../driver.js';
import { batBytes, blockShape, entriesFor } from '../bat.js';
import { BatmapHeader, batmapBytes } from '../batmap.js';
import { roundUp } from '../bytes.js';
import { DiskType, Footer, FOOTER_BYTES, timeStampOf } from '../footer.js';
import { Header, HEADER_BYTES, MAX_BLOCK_BYTES } from '../header.js';
import { type LocatorEntry, locatorText } from '../locator.js';

/** The parent of a new differencing image. */
export interface NewParent {
  /** Zeroes for a raw file (V37). */
  readonly uuid: Uint8Array;
  /** Relative to the child's directory, with `/`. */
  readonly path: string;
  /** When its file was changed last, in seconds of Unix time. */
  readonly unixSeconds: number;
}

/** A new dynamic or differencing image. */
export interface NewImage {
  /** In bytes: whole sectors. */
  readonly size: number;
  /** The size up to which it can be grown without moving anything; `size` unless it is larger. */
  readonly maxSize?: number;
  readonly blockBytes?: number;
  readonly parent?: NewParent;
  readonly uuid: Uint8Array;
  readonly unixSeconds: number;
}

/** Bytes for a place in a file. */
export interface Part {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * The bytes of an image with nothing in it (V71): copy of the footer, header, BAT, batmap, locators, footer. The BAT is not
 * in one part, so that that of a large disk does not take its size in memory.
 */
export function* newImageParts(image: NewImage): Generator<Part, void> {
  const { parent, size, blockBytes = MAX_BLOCK_BYTES } = image;
  const shape = blockShape(blockBytes);
  const entries = entriesFor(Math.max(size, image.maxSize ?? 0) / SECTOR_SIZE, shape);
  const tableOffset = FOOTER_BYTES + HEADER_BYTES;
  const batmapAt = tableOffset + batBytes(entries);
  const mapAt = batmapAt + SECTOR_SIZE;
  const locators = parent ? newLocators(parent.path, mapAt + batmapBytes(entries)) : [];
  const footer = Footer.create({
    type: parent ? DiskType.differencing : DiskType.dynamic,
    size,
    dataOffset: FOOTER_BYTES,
    unixSeconds: image.unixSeconds,
    uuid: image.uuid,
  });
  const header = Header.create({
    tableOffset,
    entries,
    blockBytes,
    ...(parent ? parentFields(parent) : {}),
    locators: locators.map(({ entry }) => entry),
  });
  yield { position: 0, bytes: footer.bytes };
  yield { position: FOOTER_BYTES, bytes: header.bytes };
  yield* emptyTable(tableOffset, entries);
  yield { position: batmapAt, bytes: BatmapHeader.create(mapAt, entries).bytes };
  yield { position: mapAt, bytes: new Uint8Array(batmapBytes(entries)) };
  for (const { entry, bytes } of locators) yield { position: entry.offset, bytes };
  const last = locators.at(-1);
  const end = last ? last.entry.offset + last.bytes.length : mapAt + batmapBytes(entries);
  yield { position: end, bytes: footer.bytes };
}

/** A BAT without a block, in pieces; zeroes after the last entry. */
export function* emptyTable(position: number, entries: number): Generator<Part, void> {
  const piece = 1 << 20;
  for (let at = 0; at < batBytes(entries); at += piece) {
    const bytes = new Uint8Array(Math.min(piece, batBytes(entries) - at));
    bytes.fill(0xff, 0, Math.min(bytes.length, entries * 4 - at));
    yield { position: position + at, bytes };
  }
}

/** What a child's header has of its parent. */
export function parentFields(parent: NewParent): {
  parentUuid: Uint8Array;
  parentName: string;
  parentTimeStamp: number;
} {
  return {
    parentUuid: parent.uuid,
    parentName: parent.path.slice(parent.path.lastIndexOf('/') + 1),
    parentTimeStamp: timeStampOf(parent.unixSeconds),
  };
}

/** The three locators that vhd-util writes, each in sectors of its own from `offset` on (V34). */
export function newLocators(
  path: string,
  offset: number,
): readonly { readonly entry: LocatorEntry; readonly bytes: Uint8Array }[] {
  let at = offset;
  return (['MacX', 'W2ku', 'W2ru'] as const).map((code) => {
    const text = locatorText(code, path);
    const bytes = new Uint8Array(roundUp(text.length, SECTOR_SIZE));
    bytes.set(text);
    const entry = { code, dataSpace: bytes.length, dataLength: text.length, offset: at };
    at += bytes.length;
    return { entry, bytes };
  });
}
