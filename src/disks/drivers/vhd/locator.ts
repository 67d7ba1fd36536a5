// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';

export const LOCATOR_COUNT = 8;
export const LOCATOR_ENTRY_BYTES = 24;

/** Longer texts than this name no file: PATH_MAX in UTF-16, and a URL's escapes. */
export const MAX_LOCATOR_BYTES = 16_384;

const EMPTY_CODE = '\0\0\0\0';

/** All codes that an entry may have (V32); the old ones have never been of use, and are skipped. */
export const locatorCodes: ReadonlySet<string> = new Set([
  EMPTY_CODE,
  'MacX',
  'W2ku',
  'W2ru',
  'Wi2r',
  'Wi2k',
  'Mac ',
]);

/** One of the header's eight locators: where the text is that names the parent. */
export interface LocatorEntry {
  readonly code: string;
  /** Bytes, or sectors below 512: see {@link locatorSpace}. */
  readonly dataSpace: number;
  /** Bytes of the text. */
  readonly dataLength: number;
  /** Byte offset of the text. */
  readonly offset: number;
}

/** An entry with nothing in it. */
export const emptyLocator: LocatorEntry = { code: EMPTY_CODE, dataSpace: 0, dataLength: 0, offset: 0 };

export function isEmpty({ code }: LocatorEntry): boolean {
  return code === EMPTY_CODE;
}

/** A locator's space in bytes: the standard counts in sectors, but Microsoft and vhd-util write bytes (V33). */
export function locatorSpace({ dataSpace }: LocatorEntry): number {
  return dataSpace < SECTOR_SIZE ? dataSpace * SECTOR_SIZE : dataSpace;
}

/** Whether an entry's text is one that names a parent. */
export function isUsable({ code }: LocatorEntry): boolean {
  return code === 'MacX' || code === 'W2ku' || code === 'W2ru';
}

/**
 * The paths that a locator's text stands for, in the order to try them: as it is, then with a URL's escapes decoded
 * (V35, V36). Empty when the text is none.
 */
export function locatorPaths(code: string, text: Uint8Array): readonly string[] {
  if (code !== 'MacX') {
    const path = utf16(text)
      .replaceAll('\\', '/')
      .replace(/^[A-Za-z]:/, '');
    return path === '' ? [] : [path];
  }
  const url = new TextDecoder().decode(text).replace(/\0.*$/s, '');
  const path = url.replace(/^file:\/\//, '').replace(/^localhost(?=\/)/, '');
  const decoded = withoutEscapes(path);
  return path === '' ? [] : path === decoded ? [path] : [path, decoded];
}

function utf16(text: Uint8Array): string {
  return new TextDecoder('utf-16le').decode(text).replace(/\0.*$/s, '');
}

function withoutEscapes(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    // A percent sign that is not an escape: the name as it is.
    if (error instanceof URIError) return path;
    throw error;
  }
}

/** A locator's text for a path relative to the child's directory, as vhd-util writes it (V34). */
export function locatorText(code: 'MacX' | 'W2ku' | 'W2ru', path: string): Uint8Array {
  if (code === 'MacX') return Buffer.from(`file://${path}`, 'utf8');
  return Buffer.from(path.replaceAll('/', '\\'), 'utf16le');
}
