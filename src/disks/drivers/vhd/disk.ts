// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { errno, errnoCode } from '../../../posix/errno.js';
import { LOG_ERR, LOG_WARNING, type Logger } from '../../../server/logger.js';
import {
  type DataRequest,
  type Done,
  type DoneWithReason,
  ESHUTDOWN,
  type RangeRequest,
  type SectorRange,
  type ZeroesRequest,
} from '../../driver.js';
import { rangeText } from '../../byte-range.js';
import type { ReadHoles } from '../../../posix/file-holes.js';
import type { LockFile } from '../image-lock.js';
import { WriteOrder } from '../write-order.js';
import { BlockChanges } from './block-changes.js';
import { type Chain, closeChain, type Link, openChain } from './chain.js';
import type { Changes } from './changes.js';
import { holesOf } from './file-holes.js';
import { FlatChanges } from './flat-changes.js';
import type { Footer } from './footer.js';
import { type ImageCalls, ImageFile } from './image-file.js';
import { BlockLayer, FlatLayer, type Layer } from './layer.js';
import { mapRange } from './map-range.js';
import type { ParentRules } from './parent-search.js';
import { readRange } from './read-range.js';
import { type Steps, wait } from './steps.js';

/** What disks are opened with. */
export interface DiskCalls extends ImageCalls {
  readonly lock: LockFile;
  readonly logger: Logger;
}

/** Locks a file with these calls as it is opened; see `ImageFile.open`. */
export function lockOf({ lock }: DiskCalls, shared: boolean): (fd: number, done: DoneWithReason) => void {
  return (fd, done) => lock(fd, shared, done);
}

/** How a disk is opened. */
export interface DiskOptions extends ParentRules {
  readonly readOnly: boolean;
  /**
   * Whether a write is answered as soon as its data is in the file, before the file says that it is there: faster, but a
   * daemon that is killed may lose what it answered since the last flush.
   */
  readonly answersEarly?: boolean;
}

/** A part of a disk, as its chain has it (V48). */
export interface DiskExtent extends SectorRange {
  /** Whether an image of the chain has the sectors; if not, they read as zeroes. */
  readonly isAllocated: boolean;
}

/** The disk that a chain of images makes: open, until {@link close}. */
export class VhdDisk {
  readonly chain: Chain;
  readonly sectors: number;
  readonly #calls: DiskCalls;
  readonly #layers: readonly Layer[];
  readonly #changes: Changes | undefined;
  readonly #order = new WriteOrder();
  #isSettled = false;

  private constructor(calls: DiskCalls, chain: Chain, options: DiskOptions) {
    this.#calls = calls;
    this.chain = chain;
    this.sectors = chain[0].sectors;
    this.#layers = chain.map((link, index) => layerOf(calls, link, index === 0 && !options.readOnly));
    this.#changes = options.readOnly ? undefined : changesOf(calls, chain, this.#layers, options);
  }

  /**
   * Opens an image and its ancestors; for writing it is locked.
   *
   * @throws VhdError, FileError
   */
  static *open(calls: DiskCalls, path: string, options: DiskOptions): Steps<VhdDisk> {
    const { readOnly } = options;
    const file = yield* ImageFile.open(
      calls,
      path,
      readOnly ? constants.O_RDONLY : constants.O_RDWR,
      readOnly ? undefined : lockOf(calls, false),
    );
    try {
      const chain = yield* openChain(calls, file, options, !readOnly);
      const disk = new VhdDisk(calls, chain, options);
      disk.#warn();
      return disk;
    } catch (error) {
      yield* wait<number>((done) => calls.files.close(file.fd, done));
      throw error;
    }
  }

  /**
   * From now on it does not read the holes of the file at the root of the chain, if that is raw or fixed. To be called only
   * while nobody writes to it.
   */
  *findHoles(readHoles: ReadHoles): Steps<void> {
    const root = this.#root;
    if (root) root.holes = yield* holesOf(root.file, readHoles);
  }

  /** Whether that file was cut meanwhile, which nobody sees where it is not read. @throws FileError EIO if it was */
  *checkRoot(): Steps<void> {
    const root = this.#root;
    if (root) yield* root.file.checkLength(root.file.length);
  }

  get #root(): FlatLayer | undefined {
    const root = this.#layers.at(-1);
    return root instanceof FlatLayer ? root : undefined;
  }

  read(request: DataRequest, done: Done): void {
    readRange(this.#calls.files, this.#layers, request, done);
  }

  write(request: DataRequest, done: Done): void {
    this.#change(request, done, (changes, ended) => changes.write(request, ended));
  }
  writeZeroes(request: ZeroesRequest, done: Done): void {
    this.#change(request, done, (changes, ended) => changes.zero(request, ended));
  }
  discard(request: RangeRequest, done: Done): void {
    this.#change(request, done, (changes, ended) => changes.discard(request, ended));
  }

  flush(done: Done): void {
    if (this.#changes) this.#changes.flush(done);
    else done(0);
  }

  /** Reports which parts of a range an image of the chain has. `done` gets the errno of a bitmap that could not be read. */
  extents(range: SectorRange, done: (result: number, extents: readonly DiskExtent[]) => void): void {
    const extents: DiskExtent[] = [];
    mapRange(
      this.#layers,
      range,
      (layer, _position, sector, sectors) => {
        const isAllocated = layer !== undefined;
        const last = extents.at(-1);
        if (last?.isAllocated === isAllocated)
          extents[extents.length - 1] = { ...last, sectors: last.sectors + sectors };
        else extents.push({ sector, sectors, isAllocated });
      },
      (result) => done(result, extents),
    );
  }

  /** Brings all to stable storage, and the file into the form that it has once it is closed; no change may follow. @throws FileError */
  *settle(): Steps<void> {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (this.#changes) yield* this.#changes.finish();
  }

  /** Brings all to stable storage and closes all files. @throws FileError for the first that failed */
  *close(): Steps<void> {
    try {
      yield* this.settle();
    } catch (error) {
      yield* closeChain(this.chain);
      throw error;
    }
    yield* closeChain(this.chain);
  }

  #change(request: RangeRequest, done: Done, change: (changes: Changes, ended: Done) => void): void {
    const changes = this.#changes;
    if (!changes) {
      done(-errno.EROFS);
      return;
    }
    this.#order.begin(request, () =>
      change(changes, (result) => {
        this.#order.end(request);
        // What nobody needs any more has not failed.
        if (result < 0 && result !== -ESHUTDOWN) this.#logFailure(request, result);
        done(result);
      }),
    );
  }

  #logFailure(range: SectorRange, result: number): void {
    const { path } = this.chain[0].file;
    const what = `cannot write ${rangeText(range)}: ${errnoCode(result)}`;
    this.#calls.logger.log(LOG_ERR, `vhd: ${path}: ${what}`);
  }

  #warn(): void {
    for (const link of this.chain) {
      if (link.kind !== 'vhd') continue;
      if (link.image.endFooter) continue;
      const remedy = 'a writer restores it when it closes the image, and so does vhd repair';
      const what = `it was not closed properly: the footer at the end is missing; ${remedy}`;
      this.#calls.logger.log(LOG_WARNING, `vhd: ${link.file.path}: ${what}`);
    }
  }
}

function layerOf({ files }: DiskCalls, link: Link, isWritten: boolean): Layer {
  const { file } = link;
  if (link.kind === 'raw') return new FlatLayer(file, link.sectors, file.length, true);
  const { blocks, endFooterBytes } = link.image;
  const dataEnd = isWritten ? Number.POSITIVE_INFINITY : file.length - endFooterBytes;
  if (!blocks) return new FlatLayer(file, link.sectors, dataEnd);
  return new BlockLayer(files, file, link.sectors, blocks, dataEnd);
}

function changesOf(
  { files }: DiskCalls,
  [leaf]: Chain,
  [layer, ...ancestors]: readonly Layer[],
  { answersEarly = false }: DiskOptions,
): Changes {
  const { image } = leaf;
  const { blocks } = image;
  if (!blocks) return new FlatChanges(files, leaf.file);
  // What could be opened has a footer, and what has blocks is read as such.
  const [footer, blockLayer] = [image.footer as Footer, layer as BlockLayer];
  return new BlockChanges({ files, image, footer, blocks, layer: blockLayer, ancestors, answersEarly });
}
