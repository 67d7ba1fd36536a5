// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../driver.js';
import { DiskType, Footer } from '../footer.js';
import type { ImageCalls } from '../image-file.js';
import type { Steps } from '../steps.js';
import { createFile, writeParts } from './create-file.js';
import { newImageParts } from './new-image.js';

/** What a new image without a parent is to be. */
export interface CreateOptions {
  readonly path: string;
  /** In bytes: whole sectors. */
  readonly size: number;
  readonly isFixed?: boolean;
  /** Of a dynamic image: how large it can become without moving anything, in bytes; `size` unless larger. */
  readonly maxSize?: number;
  /** 2 MiB unless given. */
  readonly blockBytes?: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** Now. */
  readonly unixSeconds: number;
}

/** Makes an image of zeroes (V71). A fixed one is sparse in the file. @throws FileError, -EEXIST if there is such a file */
export function* createImage(calls: ImageCalls, options: CreateOptions): Steps<void> {
  const { path, size, isFixed = false, uuid, unixSeconds } = options;
  if (size % SECTOR_SIZE !== 0 || size <= 0) throw new RangeError(`size ${size}: expected whole sectors`);
  yield* createFile(calls, path, function* (file) {
    if (isFixed) {
      const footer = Footer.create({ type: DiskType.fixed, size, unixSeconds, uuid });
      yield* file.write(size, footer.bytes);
    } else {
      yield* writeParts(file, newImageParts(options));
    }
  });
}
