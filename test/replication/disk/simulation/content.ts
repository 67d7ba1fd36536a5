// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../../src/replication/disk/local-disk.js';
import type { DiskContent } from './history.js';

const WORDS = SECTOR_SIZE / 4;

/** Sectors whose words are all `tag`. */
export function tagged(tag: number, sectors: number): Uint8Array {
  return new Uint8Array(new Uint32Array(sectors * WORDS).fill(tag).buffer);
}

/** The tags of sectors' bytes. @throws Error that names a sector whose words differ */
export function contentOf(bytes: Uint8Array): DiskContent {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const content = new Uint32Array(bytes.length / SECTOR_SIZE);
  for (let sector = 0; sector < content.length; sector++) {
    const tag = words[sector * WORDS] as number;
    for (let word = 1; word < WORDS; word++) {
      if (words[sector * WORDS + word] !== tag)
        throw new Error(`sector ${sector} is a mixture of ${tag} and ${words[sector * WORDS + word]}`);
    }
    content[sector] = tag;
  }
  return content;
}
