// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { BAT_ENTRY_BYTES, type BlockShape, entriesFor, MAX_BAT_ENTRIES } from './bat.js';
import type { PlaceFaults } from './block-places.js';
import { DiskType, type Footer, FOOTER_BYTES, POISONED_COOKIE, TAP_VERSION } from './footer.js';
import type { Header } from './header.js';
import type { ImageFile } from './image-file.js';
import { isUsable, locatorSpace, MAX_LOCATOR_BYTES } from './locator.js';
import type { VhdErrorKind, VhdFault } from './vhd-error.js';

/** Takes down a fault of the image that is looked at. */
export type Report = (kind: VhdErrorKind, field: string, problem: string, remedy: string) => void;

export function checkFooter(footer: Footer, fault: Report): void {
  if (footer.cookie === POISONED_COOKIE) {
    const remedy = 'have vhd-util revert the journal first (vhd-util revert)';
    fault('disabled', 'footer cookie', 'vhd-util left a journal in progress', remedy);
  }
  const hex = (value: number): string => `0x${value.toString(16)}`;
  if (footer.version >>> 16 !== 1) {
    fault(
      'unsupported',
      'footer version',
      `${hex(footer.version)}, expected 0x10000`,
      'convert it with the program that made it',
    );
  }
  const types: readonly number[] = Object.values(DiskType);
  if (!types.includes(footer.type)) {
    const problem = `${footer.type}, expected 2 (fixed), 3 (dynamic) or 4 (differencing)`;
    fault('unsupported', 'disk type', problem, 'convert it with the program that made it');
  }
  if (footer.isOfTap && (footer.creatorVersion > TAP_VERSION || footer.creatorVersion < 0x0001_0000)) {
    const problem = `tap ${hex(footer.creatorVersion)}, expected 0x10000 to ${hex(TAP_VERSION)}`;
    fault('unsupported', 'creator version', problem, 'convert it with the version of vhd-util that made it');
  }
}

/** A fixed image whose file is too short for its disk can be read as far as it goes. */
export function fixedShortfall(
  file: ImageFile,
  footer: Footer,
  endFooterBytes: number,
): VhdFault | undefined {
  const present = Math.floor((file.length - endFooterBytes) / SECTOR_SIZE);
  if (footer.type !== DiskType.fixed || footer.sectors <= present) return undefined;
  const problem = `it has ${present} sectors of the disk's ${footer.sectors}`;
  const remedy = 'open it read-only and copy what is left';
  return { kind: 'truncated', file: file.path, field: 'file length', problem, remedy };
}

export function checkLocators(file: ImageFile, footer: Footer, header: Header, fault: Report): void {
  if (footer.type !== DiskType.differencing) return;
  for (const [index, locator] of header.locators.entries()) {
    if (!isUsable(locator)) continue;
    const { dataLength, offset } = locator;
    const space = locatorSpace(locator);
    const problem =
      dataLength > space
        ? `its text has ${dataLength} bytes, but its space ${space}`
        : dataLength > MAX_LOCATOR_BYTES
          ? `its text has ${dataLength} bytes, expected at most ${MAX_LOCATOR_BYTES}`
          : offset + space > file.length
            ? `its space, ${space} bytes at ${offset}, ends after the end of the file`
            : undefined;
    if (problem !== undefined) {
      fault('bad-header', `parent locator ${index}`, problem, 'restore the image from a backup');
      return;
    }
  }
}

/** The bytes of the BAT's entries; undefined when it cannot be read. A field's size is held against the file's before it is believed. */
export function checkTableSize(
  file: ImageFile,
  footer: Footer,
  header: Header,
  shape: BlockShape,
  fault: Report,
): number | undefined {
  const { entries, tableOffset } = header;
  const needed = entriesFor(footer.sectors, shape);
  if (entries < needed) {
    const problem = `${entries}, but the disk of ${footer.sectors} sectors has ${needed} blocks`;
    fault('bad-header', 'BAT entries', problem, 'restore the image from a backup');
    return undefined;
  }
  const size = entries * BAT_ENTRY_BYTES;
  if (entries > MAX_BAT_ENTRIES && tableOffset + size <= file.length) {
    const problem = `${entries}, expected at most ${MAX_BAT_ENTRIES}`;
    fault('unsupported', 'BAT entries', problem, 'use larger blocks');
    return undefined;
  }
  if (tableOffset % SECTOR_SIZE !== 0 || tableOffset < FOOTER_BYTES || tableOffset >= file.length) {
    const problem = `${tableOffset}, expected a multiple of ${SECTOR_SIZE} inside the file`;
    fault('bad-header', 'table offset', problem, 'restore the image from a backup');
    return undefined;
  }
  if (tableOffset + size <= file.length) return size;
  const isCut = tableOffset + needed * BAT_ENTRY_BYTES > file.length;
  const problem = `${entries} entries at ${tableOffset} end after the end of the file (${file.length} bytes)`;
  if (isCut) fault('truncated', 'BAT', problem, 'restore the image from a backup');
  else fault('bad-header', 'BAT entries', problem, 'restore the image from a backup');
  return undefined;
}

export function checkBat(places: PlaceFaults, bat: Uint32Array, metadataEnd: number, fault: Report): void {
  const remedy = 'restore the image from a backup: which of its blocks are right cannot be known';
  for (const block of places.early) {
    const problem = `sector ${bat[block]}, but the metadata ends at sector ${metadataEnd}`;
    fault('bad-bat', `BAT entry ${block}`, problem, remedy);
  }
  for (const [one, other] of places.overlapping) {
    const problem = `sector ${bat[other]}: the block overlaps with block ${one} at sector ${bat[one]}`;
    fault('bad-bat', `BAT entry ${other}`, problem, remedy);
  }
}

/** Blocks that are not there, or not all of them: no fault for reading, where only what is missing fails (V24). */
export function blockShortfall(file: ImageFile, { outside, cut }: PlaceFaults): VhdFault | undefined {
  const remedy = 'open it read-only and copy what is left, or restore it from a backup';
  const [block] = cut.length > 0 ? cut : outside;
  if (block === undefined) return undefined;
  const field = `BAT entry ${block}`;
  if (cut.length > 0) {
    return {
      kind: 'truncated',
      file: file.path,
      field,
      problem: 'the file ends inside of the block',
      remedy,
    };
  }
  return {
    kind: 'bad-bat',
    file: file.path,
    field,
    problem: 'the block starts after the end of the file',
    remedy,
  };
}
