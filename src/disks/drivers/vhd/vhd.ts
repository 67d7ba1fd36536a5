// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import { RingFiles } from '../../../posix/node/file-ring/ring-files.js';
import { LOG_WARNING } from '../../../server/logger.js';
import { thrownText } from '../../../server/thrown-text.js';
import {
  type BlockStatusDone,
  type ChainLink,
  type DataRequest,
  type DiskDriverType,
  type DiskInfo,
  type Done,
  type DoneWithReason,
  type Driver,
  type ImageFile,
  imageFileOf,
  type OpenFlags,
  type RangeRequest,
  SECTOR_SIZE,
  type SectorRange,
  type ZeroesRequest,
} from '../../driver.js';
import { fileLocker } from '../image-lock.js';
import { imageSizer } from '../image-size.js';
import { countAllocated } from './bat.js';
import { type DiskCalls, VhdDisk } from './disk.js';
import { parseVhdName, VHD_NAME_FORM } from './image-name.js';
import { runSteps } from './steps.js';
import { FileError, VhdError } from './vhd-error.js';

/** How much of a disk one question looks at (64 MiB): every sector of it may be an extent. */
const MAX_STATUS_SECTORS = 1 << 17;

/**
 * `vhd:/path`: an image in tapdisk's own format with its chain of parents (C: block-vhd.c). docs/vhd.md says what is
 * guaranteed; the format's rules are cited as V1 to V90.
 *
 * - A write is answered when a kill of the process cannot lose it any more; a flush makes it outlive a power loss. With
 *   `answer=early` a write is answered when its data is written, and only a flush keeps it.
 * - The image is locked for writing as with aio; parents are opened read-only and not locked.
 * - Shared openers may not write: the metadata of an image has one writer.
 */
export class VhdDriver implements Driver {
  readonly #argument: string;
  readonly #calls: DiskCalls;
  #disk: VhdDisk | undefined;
  #readOnly = false;

  constructor(argument: string, calls: DiskCalls) {
    this.#argument = argument;
    this.#calls = calls;
  }

  /** -EINVAL for a name that is wrong or a shared opening for writing, -EBUSY when it is locked, or the number of what was thrown. */
  open(flags: OpenFlags, done: DoneWithReason): void {
    const name = parseVhdName(this.#argument);
    if (typeof name === 'string') {
      done(-errno.EINVAL, `${name}: expected ${VHD_NAME_FORM}`);
      return;
    }
    if (flags.shared && !flags.readOnly) {
      done(-errno.EINVAL, 'an image has one writer: it cannot be shared');
      return;
    }
    const { path, parents: directories, answersEarly } = name;
    this.#readOnly = flags.readOnly;
    const options = { readOnly: flags.readOnly, directories, answersEarly };
    runSteps(VhdDisk.open(this.#calls, path, options), (outcome) => {
      if ('error' in outcome) {
        fail(outcome.error, done);
      } else {
        this.#disk = outcome.value;
        done(0);
      }
    });
  }

  info(): DiskInfo {
    return { sectors: this.#open.sectors, sectorSize: SECTOR_SIZE, info: 0 };
  }

  /** Its size is in the image, which only `vhd resize` changes. */
  resize(done: DoneWithReason): void {
    const steps = 'pause it, use tapdisk-ts vhd resize, and unpause it';
    done(-errno.EOPNOTSUPP, `a VHD is not resized while it is open: ${steps}`);
  }

  settle(done: DoneWithReason): void {
    runSteps(this.#open.settle(), (outcome) => ('error' in outcome ? fail(outcome.error, done) : done(0)));
  }

  close(done: DoneWithReason): void {
    const disk = this.#open;
    this.#disk = undefined;
    runSteps(disk.close(), (outcome) => ('error' in outcome ? fail(outcome.error, done) : done(0)));
  }

  queueRead(request: DataRequest): void {
    this.#open.read(request, (result) => request.complete(result));
  }
  queueWrite(request: DataRequest): void {
    this.#open.write(request, (result) => request.complete(result));
  }
  flush(done: Done): void {
    this.#open.flush(done);
  }
  discard(request: RangeRequest): void {
    this.#open.discard(request, (result) => request.complete(result));
  }
  writeZeroes(request: ZeroesRequest): void {
    this.#open.writeZeroes(request, (result) => request.complete(result));
  }

  /** Allocated is what any image of the chain has; all else is a hole that reads as zeroes (V48). Of a
   * larger range the first `MAX_STATUS_SECTORS` are looked at. */
  blockStatus({ sector, sectors }: SectorRange, done: BlockStatusDone): void {
    const range = { sector, sectors: Math.min(sectors, MAX_STATUS_SECTORS) };
    this.#open.extents(range, (result, extents) => {
      if (result < 0) done(result);
      else
        done(
          0,
          extents.map(({ sectors: count, isAllocated }) => ({
            sectors: count,
            allocated: isAllocated,
            zero: !isAllocated,
          })),
        );
    });
  }

  /** The leaf: another file after a snapshot. -EOPNOTSUPP for a block device. */
  identify(done: (result: number, image?: ImageFile) => void): void {
    const { file } = this.#open.chain[0];
    if (!file.isRegular) {
      done(-errno.EOPNOTSUPP);
      return;
    }
    this.#calls.files.fstat(file.fd, (result, status) => {
      if (status) done(0, imageFileOf(file.path, status));
      else done(result);
    });
  }

  chain(): readonly ChainLink[] {
    return (this.#disk?.chain ?? []).map((link) => {
      const blocks = link.kind === 'vhd' ? link.image.blocks : undefined;
      return {
        path: link.file.path,
        sectors: link.sectors,
        ...(blocks ? { blocks: blocks.bat.length, allocatedBlocks: countAllocated(blocks.bat) } : {}),
      };
    });
  }

  describe(): string {
    const chain = this.#disk?.chain;
    if (!chain) return `vhd ${this.#argument} closed`;
    const [leaf] = chain;
    const { blocks } = leaf.image;
    const allocated = blocks
      ? `, ${countAllocated(blocks.bat)} of ${blocks.bat.length} blocks allocated`
      : '';
    const depth = chain.length > 1 ? `, ${chain.length} images deep` : '';
    const access = this.#readOnly ? ' read-only' : '';
    return `vhd ${leaf.file.path} ${leaf.sectors} sectors${access}${allocated}${depth}`;
  }

  get #open(): VhdDisk {
    if (!this.#disk) throw new Error('the image is not open');
    return this.#disk;
  }
}

function fail(error: unknown, done: DoneWithReason): void {
  if (error instanceof VhdError || error instanceof FileError) done(-error.number, error.message);
  else done(-errno.EIO, thrownText(error));
}

/** The driver type `vhd` over Node's file calls. */
export const vhdDriverType: DiskDriverType = {
  name: 'vhd',
  create: ({ completions, logger }, argument) =>
    new VhdDriver(argument, {
      files: new RingFiles(completions, (message) => logger.log(LOG_WARNING, `vhd: ${argument}: ${message}`)),
      lock: fileLocker(completions),
      size: imageSizer(completions),
      logger,
    }),
};
