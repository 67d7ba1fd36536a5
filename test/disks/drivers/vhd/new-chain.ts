// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { Footer } from '../../../../src/disks/drivers/vhd/footer.js';
import { newImageParts, type NewImage } from '../../../../src/disks/drivers/vhd/tools/new-image.js';
import type { Random } from '../../../../src/testing/index.js';
import { randomBytes } from '../../../random.js';

/** One image of a chain that a test makes, the root first. */
export interface NewLink {
  readonly name: string;
  readonly sectors: number;
  readonly blockSectors: number;
}

/** The bytes of a new image, whole. */
export function imageBytes(image: NewImage): Uint8Array {
  const parts = [...newImageParts(image)];
  const last = parts.at(-1);
  const bytes = new Uint8Array(last ? last.position + last.bytes.length : 0);
  for (const part of parts) bytes.set(part.bytes, part.position);
  return bytes;
}

/** The files of a chain of empty images in one directory: the root first, each the parent of the next. */
export function chainFiles(links: readonly NewLink[], random: Random): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let parent: NewImage['parent'];
  for (const { name, sectors, blockSectors } of links) {
    const uuid = randomBytes(random, 16);
    const image = {
      size: sectors * SECTOR_SIZE,
      blockBytes: blockSectors * SECTOR_SIZE,
      uuid,
      unixSeconds: 1e9,
    };
    const bytes = imageBytes(parent ? { ...image, parent } : image);
    files.set(name, bytes);
    parent = { uuid: new Footer(bytes.subarray(0, SECTOR_SIZE)).uuid, path: `./${name}`, unixSeconds: 1e9 };
  }
  return files;
}
