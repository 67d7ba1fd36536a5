// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { requireUsable } from '../chain.js';
import { type DiskCalls, lockOf } from '../disk.js';
import { ImageFile } from '../image-file.js';
import { type LoadedImage, loadImage } from '../load-image.js';
import type { Steps } from '../steps.js';

/** Opens an image alone, without its parents, uses it, and closes it. @throws what `use` throws, FileError */
function* withFile<T>(file: ImageFile, use: (image: LoadedImage) => Steps<T>): Steps<T> {
  try {
    return yield* use(yield* loadImage(file));
  } finally {
    yield* file.close();
  }
}

/** For reading; its faults are the caller's to look at. */
export function* withImage<T>(
  calls: DiskCalls,
  path: string,
  use: (image: LoadedImage) => Steps<T>,
): Steps<T> {
  return yield* withFile(yield* ImageFile.open(calls, path, constants.O_RDONLY), use);
}

/**
 * For writing, locked against other writers.
 *
 * @param mayBeBroken its faults are the caller's to look at
 * @throws VhdError when it cannot be used
 */
export function* withLockedImage<T>(
  calls: DiskCalls,
  path: string,
  use: (image: LoadedImage) => Steps<T>,
  mayBeBroken = false,
): Steps<T> {
  const file = yield* ImageFile.open(calls, path, constants.O_RDWR, lockOf(calls, false));
  return yield* withFile(file, function* (image) {
    if (!mayBeBroken) requireUsable(image, true);
    return yield* use(image);
  });
}
