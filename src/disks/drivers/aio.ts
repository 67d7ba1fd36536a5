// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { errno, errnoCode, inWords } from '../../posix/errno.js';
import { LOG_ERR, LOG_INFO, LOG_WARNING, type Logger } from '../../server/logger.js';
import { rangeText } from '../byte-range.js';
import { imageFileOf } from '../driver.js';
import {
  type BlockStatusDone,
  type DataRequest,
  type DiskDriverType,
  type DiskInfo,
  type Done,
  type DoneWithReason,
  type Driver,
  ESHUTDOWN,
  type ImageFile,
  type OpenFlags,
  type RangeRequest,
  SECTOR_SIZE,
  type SectorRange,
  type ZeroesRequest,
} from '../index.js';
import type { FileCalls, FileStatus } from '../../posix/files.js';
import { RingFiles } from '../../posix/node/file-ring/ring-files.js';
import { UnderWay } from '../../posix/under-way.js';
import { wallClock } from '../../posix/clock.js';
import type { ReadHoles } from '../../posix/file-holes.js';
import { holeReader } from '../../posix/node/file-map.js';
import { FlushGroup } from './flush-group.js';
import { GivenUpRanges } from './given-up-ranges.js';
import { HoleQueue, MIN_HOLE_BYTES, punchRange } from './hole-punch.js';
import { fileLocker, type LockFile } from './image-lock.js';
import { ImageMap } from './image-map.js';
import { imageSizer, type SizeImage } from './image-size.js';
import { readWhole, writeWhole } from '../../posix/whole-transfer.js';
import { WriteOrder } from './write-order.js';
import { zeroRange } from './zero-range.js';

const MIN_HOLE_SECTORS = MIN_HOLE_BYTES / SECTOR_SIZE;

/** The file calls that serving an image takes. */
export type ImageFiles = Pick<
  FileCalls,
  'stat' | 'open' | 'fstat' | 'read' | 'write' | 'fdatasync' | 'punchHole' | 'close'
>;

/** What an aio driver works with. */
export interface AioParts {
  readonly files: ImageFiles;
  readonly lock: LockFile;
  readonly size: SizeImage;
  /** Reads where an open file has holes; without it everything is data. */
  readonly readHoles?: ReadHoles;
  /** Seconds since 1970 on the clock that file times are of; the system's without it. */
  readonly wallSeconds?: () => number;
  readonly logger: Logger;
}

/**
 * `aio:/path`: a raw image in a regular file or block device (C: block-aio.c).
 *
 * - Reads and writes go through the kernel's page cache (C: O_DIRECT); a flush is fdatasync, and so is a close.
 * - Changes of the same sectors keep their order (`WriteOrder`); a read at the same time as a write of its sectors
 *   may see either state of each.
 * - A file that was cut short while open reads as zeroes beyond its end, which is logged once.
 * - An image opened for writing is locked ({@link fileLocker}), a block device also with O_EXCL, which keeps mounted
 *   ones out: a second writer gets -EBUSY. Shared openers may write together.
 * - Discarding 1 MiB ({@link MIN_HOLE_BYTES}) or more makes a hole in a regular file, and so does zeroing it, where the
 *   file system can and fallocate(1) is there (`punchHole`). Pieces that touch count together, unless they were
 *   written since or there may be shared openers. Otherwise a discard changes nothing, and zeroes are written, but not
 *   over zeroes.
 * - Holes of a regular file are reported by {@link blockStatus} (`ImageMap`) where they can be read
 *   (`holeReader`); otherwise all is data.
 */
export class AioDriver implements Driver {
  readonly #path: string;
  readonly #parts: AioParts;
  #fd = -1;
  #isRegular = true;
  #isOnlyWriter = false;
  #readOnly = false;
  #sectors = 0;
  /** Where the file's last sector ends, if that is not whole. */
  #endBytes = Number.POSITIVE_INFINITY;
  #wasShort = false;
  #order = new WriteOrder();
  #flushes = this.#newFlushGroup();
  #holes = this.#newHoleQueue();
  /** None where holes cannot be, or another opener may have written what was given up here. */
  #givenUp: GivenUpRanges | undefined;
  /** None of a block device. */
  #map: ImageMap | undefined;
  readonly #mapCalls = new UnderWay();

  constructor(path: string, parts: AioParts) {
    this.#path = path;
    this.#parts = parts;
  }

  /** -EINVAL for an empty path or what is neither file nor block device, -EBUSY when it is locked, -ENOLCK, or open's error. */
  open(flags: OpenFlags, done: DoneWithReason): void {
    if (this.#path === '' || this.#path.includes('\0')) {
      done(-errno.EINVAL, `${JSON.stringify(this.#path)} is not a path: expected aio:/path`);
      return;
    }
    this.#readOnly = flags.readOnly;
    this.#wasShort = false;
    this.#order = new WriteOrder();
    this.#flushes = this.#newFlushGroup();
    this.#holes = this.#newHoleQueue();
    this.#parts.files.stat(this.#path, (result, kind) => {
      if (kind) this.#openKind(kind, flags, done);
      else done(result, inWords(-result));
    });
  }

  #openKind(kind: FileStatus, flags: OpenFlags, done: DoneWithReason): void {
    const { files, lock, size } = this.#parts;
    if (kind.kind !== 'regular' && kind.kind !== 'block') {
      done(-errno.EINVAL, 'neither a regular file nor a block device');
      return;
    }
    const exclusive = !flags.readOnly && !flags.shared;
    const mode =
      (flags.readOnly ? constants.O_RDONLY : constants.O_RDWR) |
      (exclusive && kind.kind === 'block' ? constants.O_EXCL : 0) |
      // What has the name by now may be a FIFO, whose opening waits for its other end.
      constants.O_NONBLOCK;
    files.open(this.#path, mode, (fd) => {
      if (fd < 0) {
        done(fd, inWords(-fd));
        return;
      }
      const fail = (result: number, reason?: string): void => files.close(fd, () => done(result, reason));
      const measure = (): void =>
        files.fstat(fd, (result, opened) => {
          if (!opened) fail(result);
          else
            size(opened, (sectors) => {
              if (sectors < 0) {
                fail(sectors);
                return;
              }
              this.#fd = fd;
              this.#isRegular = opened.kind === 'regular';
              this.#isOnlyWriter = exclusive;
              this.#givenUp =
                this.#isRegular && !flags.shared ? new GivenUpRanges(MIN_HOLE_SECTORS) : undefined;
              this.#map = this.#isRegular ? this.#newMap(exclusive) : undefined;
              this.#measured(sectors, opened);
              done(0);
            });
        });
      if (flags.readOnly) {
        measure();
        return;
      }
      lock(fd, flags.shared, (result, reason) => {
        if (result === -errno.EBUSY) fail(result, 'open for writing elsewhere');
        else if (result < 0) fail(result, reason && `cannot lock it: ${reason}`);
        else measure();
      });
    });
  }

  info(): DiskInfo {
    const bytes = Number.isFinite(this.#endBytes) ? { bytes: this.#endBytes } : {};
    return { sectors: this.#sectors, sectorSize: SECTOR_SIZE, ...bytes, info: 0 };
  }

  /** Of a file whose end was no whole sector, what is written from now on there is kept. */
  resize(done: DoneWithReason): void {
    const { files, size } = this.#parts;
    const opening = this.#order;
    files.fstat(this.#fd, (result, status) => {
      if (!status) {
        done(result);
        return;
      }
      size(status, (sectors) => {
        if (sectors < 0) done(sectors);
        else if (this.#order !== opening) done(-ESHUTDOWN);
        else this.#grow(sectors, status, done);
      });
    });
  }

  #grow(sectors: number, status: FileStatus, done: DoneWithReason): void {
    const was = Math.min(this.#sectors * SECTOR_SIZE, this.#endBytes);
    const now = this.#isRegular ? status.size : sectors * SECTOR_SIZE;
    if (now < was) {
      done(
        -errno.EINVAL,
        `it has ${now} bytes, fewer than the ${was} of the disk: a disk in use cannot shrink`,
      );
      return;
    }
    this.#measured(sectors, status);
    // What is known of its holes ends where it ended.
    if (this.#map && now > was) this.#map = this.#newMap(this.#isOnlyWriter);
    done(0);
  }

  identify(done: (result: number, image?: ImageFile) => void): void {
    if (!this.#isRegular) {
      done(-errno.EOPNOTSUPP);
      return;
    }
    this.#parts.files.fstat(this.#fd, (result, status) => {
      if (status) done(0, imageFileOf(this.#path, status));
      else done(result);
    });
  }

  close(done: Done): void {
    const fd = this.#fd;
    this.#fd = -1;
    const { files } = this.#parts;
    this.#mapCalls.whenNone(() => {
      if (this.#readOnly) files.close(fd, done);
      else files.fdatasync(fd, (synced) => files.close(fd, (closed) => done(synced < 0 ? synced : closed)));
    });
  }

  queueRead(request: DataRequest): void {
    const position = request.sector * SECTOR_SIZE;
    const length = request.sectors * SECTOR_SIZE;
    const bytes = request.buffer.subarray(0, Math.min(length, this.#endBytes - position));
    request.buffer.fill(0, bytes.length, length);
    const { files } = this.#parts;
    const ended = (result: number): void => request.complete(result);
    readWhole(files, this.#fd, bytes, position, ended, () => this.#warnOfShortFile());
  }

  queueWrite(request: DataRequest): void {
    const position = request.sector * SECTOR_SIZE;
    const length = Math.min(request.sectors * SECTOR_SIZE, this.#endBytes - position);
    const bytes = request.buffer.subarray(0, length);
    this.#givenUp?.forget(request);
    this.#change(request, request, (ended) => {
      this.#map?.filled(request);
      writeWhole(this.#parts.files, this.#fd, bytes, position, ended);
    });
  }

  flush(done: Done): void {
    // On a read-only opening nothing was written that could need it.
    if (this.#readOnly) done(0);
    else this.#flushes.flush(done);
  }

  discard(request: RangeRequest): void {
    const hole = this.#holes.isFull ? undefined : this.#holeOf(request);
    // It is a hint: whether a hole was made does not matter.
    this.#change(request, hole ?? request, (ended) => {
      if (hole) this.#punch(hole, () => ended(0));
      else ended(0);
    });
  }

  writeZeroes(request: ZeroesRequest): void {
    const mayBeHole = this.#isRegular && !request.noHole;
    if (!mayBeHole) this.#givenUp?.forget(request);
    const hole = mayBeHole ? this.#holeOf(request) : undefined;
    this.#change(request, hole ?? request, (ended) => {
      const write = (): void => {
        // Where zeroes are written only over what is none, a hole stays one.
        if (!mayBeHole) this.#map?.filled(request);
        const written = (result: number): void => {
          // A later hole beside it must not take what this one has left.
          if (result < 0) this.#givenUp?.forget(request);
          ended(result);
        };
        zeroRange(this.#parts.files, this.#fd, request, mayBeHole, written, this.#endBytes);
      };
      if (hole) this.#punch(hole, (result) => (result < 0 ? write() : ended(result)));
      else write();
    });
  }

  /** By a hole, or not at all. */
  writeZeroesFast(request: ZeroesRequest): void {
    const isWorthHole = request.sectors >= MIN_HOLE_SECTORS && !request.noHole;
    const hole = isWorthHole ? this.#holeOf(request) : undefined;
    if (!hole) {
      request.complete(-errno.EOPNOTSUPP);
      return;
    }
    this.#change(request, hole, (ended) => this.#punch(hole, ended));
  }

  blockStatus(range: SectorRange, done: BlockStatusDone): void {
    if (this.#map) this.#map.blockStatus(range, done);
    else done(0);
  }

  blockStatusFast(range: SectorRange, done: BlockStatusDone): void {
    if (this.#map) this.#map.knownStatus(range, done);
    else done(0);
  }

  describe(): string {
    return `aio ${this.#path} ${this.#sectors} sectors${this.#readOnly ? ' read-only' : ''}`;
  }

  #newFlushGroup(): FlushGroup {
    return new FlushGroup((done) => this.#parts.files.fdatasync(this.#fd, done));
  }
  #newMap(isOnlyWriter: boolean): ImageMap | undefined {
    const { files, logger, readHoles: read, wallSeconds = () => wallClock.now() } = this.#parts;
    if (!read) return undefined;
    const fd = this.#fd;
    const status = (done: (now?: FileStatus) => void): void => files.fstat(fd, (_, now) => done(now));
    return new ImageMap({
      readHoles: (done) => read(fd, !isOnlyWriter, this.#mapCalls.begin(done)),
      underWay: () => this.#order.underWay,
      status: isOnlyWriter ? undefined : (done) => status(this.#mapCalls.begin(done)),
      wallSeconds,
      onUnknown: (reason) => logger.log(LOG_INFO, `aio: ${this.#path}: its holes are not shown: ${reason}`),
    });
  }
  #punch(hole: SectorRange, done: Done): void {
    this.#holes.punch(hole, (result) => {
      if (result >= 0) this.#map?.emptied(hole);
      done(result);
    });
  }
  #newHoleQueue(): HoleQueue {
    return new HoleQueue((range, done) => punchRange(this.#parts.files, this.#fd, range, done));
  }

  /** The hole that a range makes, joined with what was given up before and not written since; undefined if it is too small. */
  #holeOf(request: RangeRequest): SectorRange | undefined {
    if (this.#readOnly || !this.#isRegular) return undefined;
    if (this.#givenUp) return this.#givenUp.add(request);
    return request.sectors >= MIN_HOLE_SECTORS ? request : undefined;
  }

  /** @param range what changes: the request's range at least */
  #change(request: RangeRequest, range: SectorRange, change: (ended: Done) => void): void {
    if (this.#readOnly) {
      request.complete(-errno.EROFS);
      return;
    }
    this.#order.begin(range, () =>
      change((result) => {
        this.#order.end(range);
        // Requests that cannot be quick, or are no longer needed, have not failed.
        const isExpected = result === -errno.EOPNOTSUPP || result === -ESHUTDOWN;
        if (result < 0 && !isExpected) this.#logFailure(request, result);
        request.complete(result);
      }),
    );
  }

  /** Once per opening, as every read beyond the end would report it. */
  #warnOfShortFile(): void {
    if (this.#wasShort) return;
    this.#wasShort = true;
    this.#parts.logger.log(
      LOG_ERR,
      `aio: ${this.#path} was cut short while open: missing data reads as zeroes`,
    );
  }

  /** Of a file whose last sector is not whole, that belongs to the disk too. */
  #measured(wholeSectors: number, { kind, size }: FileStatus): void {
    const isWhole = kind !== 'regular' || size % SECTOR_SIZE === 0;
    this.#sectors = isWhole ? wholeSectors : wholeSectors + 1;
    this.#endBytes = isWhole ? Number.POSITIVE_INFINITY : size;
  }

  #logFailure(request: RangeRequest, result: number): void {
    const what = `cannot write ${rangeText(request)}: ${errnoCode(result)}`;
    this.#parts.logger.log(LOG_ERR, `aio: ${this.#path}: ${what}`);
  }
}

/** The driver type `aio` over Node's file calls. */
export const aioDriverType: DiskDriverType = {
  name: 'aio',
  create: ({ completions, logger }, path) =>
    new AioDriver(path, {
      files: new RingFiles(completions, (message) => logger.log(LOG_WARNING, `aio: ${path}: ${message}`)),
      lock: fileLocker(completions),
      size: imageSizer(completions),
      readHoles: holeReader(completions),
      logger,
    }),
};
