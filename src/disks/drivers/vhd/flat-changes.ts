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
import { FlushGroup } from '../flush-group.js';
import { writeWhole } from '../../../posix/whole-transfer.js';
import { type Changes, ZeroWriter } from './changes.js';
import { type ImageFile, result } from './image-file.js';
import type { Steps } from './steps.js';

/** Changes a fixed image, sector for sector. */
export class FlatChanges implements Changes {
  readonly #files: FileCalls;
  readonly #file: ImageFile;
  readonly #zeroes: ZeroWriter;
  readonly #flushes: FlushGroup;

  constructor(files: FileCalls, file: ImageFile) {
    this.#files = files;
    this.#file = file;
    this.#zeroes = new ZeroWriter(files, file);
    this.#flushes = new FlushGroup((done) => files.fdatasync(file.fd, done));
  }

  write({ sector, sectors, buffer }: DataRequest, done: Done): void {
    const bytes = buffer.subarray(0, sectors * SECTOR_SIZE);
    writeWhole(this.#files, this.#file.fd, bytes, sector * SECTOR_SIZE, done);
  }
  zero(request: ZeroesRequest, done: Done): void {
    this.#zeroes.zero(request, !request.noHole, done);
  }
  discard(range: SectorRange, done: Done): void {
    this.#zeroes.discard(range, done);
  }
  flush(done: Done): void {
    this.#flushes.flush(done);
  }
  *finish(): Steps<void> {
    yield* result(this.#file.path, 'sync', (done) => this.flush(done));
  }
}
