// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { HolesDone, ReadHoles } from '../../../posix/file-holes.js';
import { HoleRanges } from '../hole-ranges.js';
import type { ImageFile } from './image-file.js';
import { type Steps, wait } from './steps.js';

/** The holes of an open file; where they are not known, there are none. */
export function* holesOf(file: ImageFile, readHoles: ReadHoles | undefined): Steps<HoleRanges> {
  if (!readHoles || !file.isRegular) return new HoleRanges([]);
  const found = yield* wait<Parameters<HolesDone>[0]>((done) => readHoles(file.fd, true, done));
  return HoleRanges.ofFile(typeof found === 'string' ? [] : found);
}
