// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { errno } from '../../../posix/errno.js';
import type { FileCalls, FileStatus, StatusDone } from '../../../posix/files.js';
import { type DoneWithReason, SECTOR_SIZE } from '../../driver.js';
import type { SizeImage } from '../image-size.js';
import { writeWhole } from '../../../posix/whole-transfer.js';
import { wait, type Steps } from './steps.js';
import { FileError } from './vhd-error.js';

/** The calls that images are opened with. */
export interface ImageCalls {
  readonly files: FileCalls;
  readonly size: SizeImage;
}

/** An open file of a chain. All its steps throw {@link FileError}. */
export class ImageFile {
  readonly path: string;
  readonly fd: number;
  readonly status: FileStatus;
  /** In bytes: of a block device too. As of opening, until {@link truncate}. */
  length: number;
  readonly #files: FileCalls;

  private constructor(path: string, fd: number, status: FileStatus, length: number, files: FileCalls) {
    this.path = path;
    this.fd = fd;
    this.status = status;
    this.length = length;
    this.#files = files;
  }

  /**
   * Opens a regular file or block device.
   *
   * @param lock takes the lock before the size is looked at, since it may change until then
   * @throws FileError: EINVAL for what is neither, or the failed call
   */
  static *open(
    { files, size }: ImageCalls,
    path: string,
    flags: number,
    lock?: (fd: number, done: DoneWithReason) => void,
  ): Steps<ImageFile> {
    const before = yield* statusOf(files, path);
    requireKind(path, before);
    // What has the name by now may be a FIFO, whose opening waits for its other end.
    const more = constants.O_NONBLOCK | (lock && before.kind === 'block' ? constants.O_EXCL : 0);
    const fd = yield* result(path, 'open', (done) => files.open(path, flags | more, done));
    try {
      if (lock) yield* result(path, 'lock', (done) => lock(fd, done));
      const status = yield* foundStatus(path, 'stat', (done) => files.fstat(fd, done));
      requireKind(path, status);
      const sectors = yield* result(path, 'measure', (done) => size(status, done));
      const length = status.kind === 'regular' ? status.size : sectors * SECTOR_SIZE;
      return new ImageFile(path, fd, status, length, files);
    } catch (error) {
      yield* wait<number>((done) => files.close(fd, done));
      throw error;
    }
  }

  get isRegular(): boolean {
    return this.status.kind === 'regular';
  }

  /** Distinguishes files, whatever names lead to them. */
  get identity(): string {
    return identityOf(this.status);
  }

  /** Reads up to `length` bytes: fewer only at the end of the file. */
  *read(position: number, length: number): Steps<Uint8Array> {
    // No Buffer: a slice of one shares its memory, and what is changed of a copy must not change what was read.
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.length - position)));
    let filled = 0;
    while (filled < bytes.length) {
      const rest = bytes.subarray(filled);
      const from = position + filled;
      const count = yield* result(this.path, 'read', (done) => this.#files.read(this.fd, rest, from, done));
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  /** Reads what there is, and fills the rest with zeroes. */
  *readPadded(position: number, length: number): Steps<Uint8Array> {
    const found = yield* this.read(position, length);
    if (found.length === length) return found;
    const bytes = new Uint8Array(length);
    bytes.set(found);
    return bytes;
  }

  /** Reads all of it. @throws FileError EIO also when the file ends before: a part of it must not pass for zeroes */
  *readWhole(position: number, length: number): Steps<Uint8Array> {
    const bytes = yield* this.read(position, length);
    if (bytes.length === length) return bytes;
    throw new FileError(this.path, `read ${length} bytes at ${position}, as it ends before`, errno.EIO);
  }

  /** @throws FileError EIO when it is shorter than this by now */
  *checkLength(length: number): Steps<void> {
    if (!this.isRegular) return;
    const status = yield* foundStatus(this.path, 'stat', (done) => this.#files.fstat(this.fd, done));
    if (status.size >= length) return;
    throw new FileError(this.path, `read it to ${length} bytes, as it ends before`, errno.EIO);
  }

  *write(position: number, bytes: Uint8Array): Steps<void> {
    yield* result(this.path, 'write', (done) => writeWhole(this.#files, this.fd, bytes, position, done));
    this.length = Math.max(this.length, position + bytes.length);
  }

  *truncate(length: number): Steps<void> {
    yield* result(this.path, 'truncate', (done) => this.#files.ftruncate(this.fd, length, done));
    this.length = length;
  }

  /** Data, size and all. */
  *sync(): Steps<void> {
    yield* result(this.path, 'sync', (done) => this.#files.fsync(this.fd, done));
  }

  *close(): Steps<void> {
    yield* result(this.path, 'close', (done) => this.#files.close(this.fd, done));
  }
}

function requireKind(path: string, { kind }: FileStatus): void {
  if (kind === 'regular' || kind === 'block') return;
  throw new FileError(path, 'open it, which is neither a regular file nor a block device', errno.EINVAL);
}

/** What distinguishes files; of a block device its number. */
export function identityOf(status: FileStatus): string {
  return status.kind === 'block' ? `block ${status.device}` : `${status.fileSystem} ${status.inode}`;
}

/** The status of a file, or of a link itself by `lstat`. @throws FileError, of the action that it is asked for */
export function* statusOf(
  files: FileCalls,
  path: string,
  call: 'stat' | 'lstat' = 'stat',
  action = 'open',
): Steps<FileStatus> {
  return yield* foundStatus(path, action, (done) => files[call](path, done));
}

/** @throws FileError, of the action, for a status that cannot be found */
function* foundStatus(path: string, action: string, start: (done: StatusDone) => void): Steps<FileStatus> {
  const [code, status] = yield* wait<Parameters<StatusDone>>((done) => start((...found) => done(found)));
  if (!status) throw new FileError(path, action, -code);
  return status;
}

/**
 * Waits for a call's result.
 *
 * @throws FileError for a negative one
 */
export function* result(path: string, action: string, start: (done: DoneWithReason) => void): Steps<number> {
  const [code, reason] = yield* wait<Parameters<DoneWithReason>>((done) => start((...ended) => done(ended)));
  if (code < 0) throw new FileError(path, action, -code, reason);
  return code;
}
