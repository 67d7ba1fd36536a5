// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { batBytes, NOT_ALLOCATED } from './bat.js';
import { isSet } from './bits.js';
import type { Footer } from './footer.js';
import type { Blocks, LoadedImage } from './load-image.js';
import { isEmpty, locatorSpace } from './locator.js';
import type { Steps } from './steps.js';

type Batmap = NonNullable<LoadedImage['batmap']>;

/** Whether the batmap is one that must not be gone by, and that can be replaced: tapdisk writes no image with such a one (V17, V29). */
export function isBatmapWrong(image: LoadedImage): boolean {
  if (!isBatmapInPlace(image)) return false;
  const { map, isValid } = image.batmap as Batmap;
  if (!isValid) return true;
  return (image.blocks as Blocks).bat.some((place, block) => place === NOT_ALLOCATED && isSet(map, block));
}

/** A map that lies elsewhere than right after its header may be anything: nothing is written there. */
function isBatmapInPlace({ batmap, blocks, footer }: LoadedImage): boolean {
  if (!batmap) return false;
  // What has a batmap has all that comes before it.
  const { tableOffset, entries, locators } = (blocks as Blocks).header;
  const headerAt = tableOffset + batBytes(entries);
  const { offset } = batmap.header;
  const end = offset + batmap.map.length;
  const isWhole = batmap.map.length >= batmap.header.usedBytes(footer as Footer);
  const isFree = locators.every(
    (locator) =>
      isEmpty(locator) || locator.offset >= end || locator.offset + locatorSpace(locator) <= headerAt,
  );
  return offset === headerAt + SECTOR_SIZE && isWhole && isFree;
}

/** Clears a batmap that can be replaced, so that it vouches for nothing. @throws FileError */
export function* emptyBatmap(image: LoadedImage): Steps<void> {
  if (isBatmapInPlace(image)) yield* resetBatmap(image);
}

/**
 * Replaces a batmap that is in its place by an empty one. If only a part of that outlives a loss of power, header and map do
 * not fit: the batmap is wrong.
 *
 * @throws FileError
 */
export function* resetBatmap({ file, batmap, blocks }: LoadedImage): Steps<void> {
  const { header, map } = batmap as Batmap;
  const { tableOffset, entries } = (blocks as Blocks).header;
  yield* file.write(header.offset, new Uint8Array(map.length));
  yield* file.write(tableOffset + batBytes(entries), header.withEmptyMap().bytes);
  yield* file.sync();
}
