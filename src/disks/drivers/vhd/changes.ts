// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../posix/files.js';
import {
  type DataRequest,
  type Done,
  SECTOR_SIZE,
  type SectorRange,
  type ZeroesRequest,
} from '../../driver.js';
import { HoleQueue, MIN_HOLE_BYTES, punchRange } from '../hole-punch.js';
import { zeroRange } from '../zero-range.js';
import type { ImageFile } from './image-file.js';
import type { Steps } from './steps.js';

/** How the leaf of a chain is changed. Changes of the same sectors do not overlap in time. */
export interface Changes {
  write(request: DataRequest, done: Done): void;
  /** Completes with -ESHUTDOWN, zeroed in part, if nobody needs it any more. */
  zero(request: ZeroesRequest, done: Done): void;
  /** Completes with 0 whether or not anything was given back. */
  discard(range: SectorRange, done: Done): void;
  /** Brings into the file what was answered, and then all that is in the file to stable storage. */
  flush(done: Done): void;
  /** Brings the image into the state in which it can be closed; nothing is under way any more. @throws FileError */
  finish(): Steps<void>;
}

/** Makes ranges of a file zeroes, and holes where that is worth it. */
export class ZeroWriter {
  readonly #files: FileCalls;
  readonly #file: ImageFile;
  readonly #holes: HoleQueue;

  constructor(files: FileCalls, file: ImageFile) {
    this.#files = files;
    this.#file = file;
    this.#holes = new HoleQueue((range, done) => punchRange(files, file.fd, range, done));
  }

  /** A range of the file. What is written ends with -ESHUTDOWN once nobody needs it any more. */
  zero(range: SectorRange & Pick<ZeroesRequest, 'isNeeded'>, mayBeHole: boolean, done: Done): void {
    const isHole = mayBeHole && this.#file.isRegular;
    const write = (): void => zeroRange(this.#files, this.#file.fd, range, isHole, done);
    if (isHole && isWorthAHole(range))
      this.#holes.punch(range, (result) => (result < 0 ? write() : done(result)));
    else write();
  }

  /** Gives a range of the file back where that is worth it. */
  discard(range: SectorRange, done: Done): void {
    if (this.#file.isRegular && isWorthAHole(range)) this.#holes.punch(range, () => done(0));
    else done(0);
  }
}

function isWorthAHole({ sectors }: SectorRange): boolean {
  return sectors * SECTOR_SIZE >= MIN_HOLE_BYTES;
}
