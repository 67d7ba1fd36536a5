// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import {
  type DataRequest,
  type Done,
  ESHUTDOWN,
  SECTOR_SIZE,
  type SectorRange,
  type ZeroesRequest,
} from '../../driver.js';
import { FlushGroup } from '../flush-group.js';
import { AllDone } from './all-done.js';
import { BlockSpace } from './block-space.js';
import { BlockWriter } from './block-writer.js';
import { type Changes, ZeroWriter } from './changes.js';
import { Commits } from './commits.js';
import type { Footer } from './footer.js';
import type { BlockLayer, Layer } from './layer.js';
import type { Blocks, LoadedImage } from './load-image.js';
import { eachPiece } from './pieces.js';
import { isBatmapWrong, resetBatmap } from './reset-batmap.js';
import { type Steps, wait } from './steps.js';
import { FileError } from './vhd-error.js';
import { ZeroedBlocks } from './zeroed-blocks.js';

/** What changing a dynamic or differencing image works with. */
export interface BlockChangesParts {
  readonly files: FileCalls;
  readonly image: LoadedImage;
  readonly footer: Footer;
  readonly blocks: Blocks;
  readonly layer: BlockLayer;
  /** The layers below, which have what it does not; none in an image without a parent. */
  readonly ancestors: readonly Layer[];
  /** See {@link WriterParts.answersEarly}. */
  readonly answersEarly: boolean;
}

/** Changes a dynamic or differencing image; {@link Commits} and {@link BlockSpace} describe the order of its writes. */
export class BlockChanges implements Changes {
  readonly #parts: BlockChangesParts;
  readonly #space: BlockSpace;
  readonly #commits: Commits;
  readonly #writer: BlockWriter;
  readonly #zeroes: ZeroWriter;
  readonly #flushes: FlushGroup;
  /** Whether the file was changed since it was opened. */
  #isChanged = false;
  /** Whether something that was answered, or may have been, is not in the file. */
  #isLost = false;

  constructor(parts: BlockChangesParts) {
    this.#parts = parts;
    const { files, image, footer, blocks, layer, ancestors, answersEarly } = parts;
    this.#flushes = new FlushGroup((done) => this.#sync(done));
    this.#space = new BlockSpace({
      files,
      layer,
      footer,
      metadataEnd: blocks.metadataEnd,
      copyIsCurrent: image.copy?.equals(footer) === true,
      sync: (done) => this.#flushes.flush(done),
    });
    const zeroed = new ZeroedBlocks(layer, ancestors, this.#space.next);
    this.#commits = new Commits({
      files,
      layer,
      tableOffset: blocks.header.tableOffset,
      sync: (done) => this.#flushes.flush(done),
      zeroed,
      onLoss: () => this.#lose(),
    });
    this.#writer = new BlockWriter({
      files,
      layer,
      space: this.#space,
      commits: this.#commits,
      zeroed,
      answersEarly,
    });
    this.#zeroes = new ZeroWriter(files, layer.file);
  }

  write(request: DataRequest, done: Done): void {
    this.#isChanged = true;
    eachPiece(
      request,
      this.#parts.layer.shape.sectors,
      (piece, offset, ended) => {
        const at = offset * SECTOR_SIZE;
        const bytes = request.buffer.subarray(at, at + (piece.to - piece.from) * SECTOR_SIZE);
        this.#writer.write(piece, bytes, ended);
      },
      done,
    );
  }

  zero(request: ZeroesRequest, done: Done): void {
    this.#isChanged = true;
    const { layer, ancestors } = this.#parts;
    const hasParent = ancestors.length > 0;
    const mayBeHole = !request.noHole;
    const zero = (range: SectorRange, ended: Done): void => this.#zeroes.zero(range, mayBeHole, ended);
    eachPiece(
      request,
      layer.shape.sectors,
      (piece, _offset, ended) => {
        if (request.isNeeded?.() === false) {
          ended(-ESHUTDOWN);
          return;
        }
        // A clear bit shows the parent; without one it is a zero already (V60).
        if (hasParent || request.noHole || this.#writer.isUncertain(piece.block)) {
          this.#writer.zero(piece, zero, mayBeHole, ended);
          return;
        }
        const all = new AllDone(ended);
        this.#writer.eachRun(piece, (range) => zero(range, all.expect()), all.expect());
      },
      done,
    );
  }

  /** Bits and entries stay: a clear bit would bring old data of a parent back (V61). */
  discard(range: SectorRange, done: Done): void {
    this.#isChanged = true;
    eachPiece(
      range,
      this.#parts.layer.shape.sectors,
      (piece, _offset, ended) => {
        const all = new AllDone(ended);
        this.#writer.eachRun(piece, (run) => this.#zeroes.discard(run, all.expect()), all.expect());
      },
      done,
    );
  }

  flush(done: Done): void {
    const sync = (settled: number): void => {
      if (settled < 0 || this.#isLost) done(-errno.EIO);
      else this.#flushes.flush(done);
    };
    // Without early answers all that was answered is in the file already.
    if (this.#parts.answersEarly) this.#commits.settle(sync);
    else sync(0);
  }

  /** @throws FileError after a failed sync */
  *finish(): Steps<void> {
    // Those who waited for what could not be written have been notified.
    yield* wait<number>((done) => this.#commits.settle(done));
    yield* wait<number>((done) => this.#space.settle(done));
    const { file } = this.#parts.layer;
    // After a failed sync nothing in the file can be trusted: the copy at the head is the footer then (V63i).
    if (this.#isLost) throw new FileError(file.path, 'sync', errno.EIO);
    if (this.#space.hasDroppedFooter || !this.#parts.image.endFooter) yield* this.#writeEndFooter();
    else if (!this.#isChanged) return;
    if (isBatmapWrong(this.#parts.image)) yield* resetBatmap(this.#parts.image);
    yield* file.sync();
  }

  /** Puts the footer after the last block, and cuts the file after it (V65). On a block device it is in the last sector. */
  *#writeEndFooter(): Steps<void> {
    const { layer, footer } = this.#parts;
    const { file } = layer;
    if (file.isRegular) {
      const position = this.#space.next * SECTOR_SIZE;
      yield* file.write(position, footer.bytes);
      yield* file.truncate(position + footer.bytes.length);
    } else {
      yield* file.write(file.length - footer.bytes.length, footer.bytes);
    }
  }

  #sync(done: Done): void {
    this.#parts.files.fdatasync(this.#parts.layer.file.fd, (code) => {
      if (code < 0) this.#lose();
      done(code);
    });
  }

  /** What was written may be lost: nothing more is promised (V63i). */
  #lose(): void {
    this.#isLost = true;
    this.#writer.fail();
  }
}
