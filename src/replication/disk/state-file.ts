// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { errno, errnoCode } from '../../posix/errno.js';
import type { FileCalls, FileDone } from '../../posix/files.js';
import { SystemError } from '../../posix/system-error.js';
import { readWhole, writeWhole } from '../../posix/whole-transfer.js';
import { UnderWay } from '../../posix/under-way.js';

/** A file or its content cannot be used, or there is no descriptor left; `result` is a negative errno, -EBADMSG for damage. */
export class StateError extends SystemError {
  override readonly name = 'StateError';
  readonly result: number;

  constructor(message: string, result: number) {
    super(errnoCode(result), `${message}: ${errnoCode(result)}`);
    this.result = result;
  }
}

/** What is wrong with a file's content: it names the file. */
export function damaged(path: string, what: string): StateError {
  return new StateError(`${path} is damaged: ${what}`, -errno.EBADMSG);
}

/** Waits for a call; what it completes with. @throws (rejects with) StateError when that is negative */
export function completed(what: string, call: (done: FileDone) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    call((result) => {
      if (result < 0) reject(new StateError(`cannot ${what}`, result));
      else resolve(result);
    });
  });
}

/** The error of steps that a state's file can fail, for the caller to report; undefined when there is none. @throws any other */
export async function failureOf(steps: () => Promise<unknown>): Promise<StateError | undefined> {
  try {
    await steps();
    return undefined;
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return error;
  }
}

/** What `use` makes of something open, which is closed when that fails. @throws (rejects with) what `use` does */
export async function closedOnFailure<T>(
  open: { close(): Promise<void> },
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** Closes all of them, also after one that fails. @throws (rejects with) what the first failure was */
export async function closeAll(open: readonly ({ close(): Promise<void> } | undefined)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const one of open) {
    try {
      await one?.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Through no link, and without waiting for the other end of a FIFO. */
const SAFELY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Whether some of a file's writes are to be durable when they end: see {@link StateFile.writeDurably}. */
export type Durability = 'by-sync' | 'by-write';

/** A file of the state directory, open for reading and writing. What fails names it. */
export class StateFile {
  readonly path: string;
  readonly #files: FileCalls;
  readonly #fd: number;
  /** Opened with O_DSYNC; -1: there is none. */
  #durableFd = -1;
  readonly #underWay = new UnderWay();

  private constructor(files: FileCalls, path: string, fd: number) {
    this.#files = files;
    this.path = path;
    this.#fd = fd;
  }

  /** The file; undefined when it is missing. @throws (rejects with) StateError */
  static async open(
    files: FileCalls,
    path: string,
    durability: Durability = 'by-sync',
  ): Promise<StateFile | undefined> {
    const fd = await new Promise<number>((resolve) => {
      files.open(path, constants.O_RDWR | SAFELY, resolve);
    });
    if (fd === -errno.ENOENT) return undefined;
    if (fd < 0) throw new StateError(`cannot open ${path}`, fd);
    return new StateFile(files, path, fd).#with(durability);
  }

  /** The file, made empty; only its owner may read it. @throws (rejects with) StateError */
  static async create(
    files: FileCalls,
    path: string,
    durability: Durability = 'by-sync',
  ): Promise<StateFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | SAFELY;
    const fd = await completed(`create ${path}`, (done) => files.open(path, flags, done, 0o600));
    return new StateFile(files, path, fd).#with(durability);
  }

  async #with(durability: Durability): Promise<StateFile> {
    if (durability === 'by-sync') return this;
    const flags = constants.O_WRONLY | constants.O_DSYNC | SAFELY;
    return closedOnFailure(this, async () => {
      this.#durableFd = await completed(`open ${this.path}`, (done) =>
        this.#files.open(this.path, flags, done),
      );
      return this;
    });
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#files.fstat(this.#fd, (result, found) => {
        if (found === undefined) reject(new StateError(`cannot stat ${this.path}`, result));
        else resolve(found.size);
      });
    });
  }

  /** Reads whole; zeroes after the end of the file. */
  async readAt(position: number, bytes: Uint8Array): Promise<void> {
    await completed(`read ${this.path}`, (done) => this.read(position, bytes, done));
  }
  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    await completed(`write ${this.path}`, (done) => this.write(position, bytes, done));
  }
  async synced(): Promise<void> {
    await completed(`sync ${this.path}`, (done) => this.sync(done));
  }
  async truncate(length: number): Promise<void> {
    await completed(`truncate ${this.path}`, (done) => this.#files.ftruncate(this.#fd, length, done));
  }

  /**
   * Gives the file the blocks of a range, so that no later write of them lacks room; zeroes where the file system cannot.
   *
   * @throws (rejects with) StateError
   */
  async allocate(length: number, from = 0): Promise<void> {
    const result = await new Promise<number>((resolve) => {
      this.#files.allocate(this.#fd, from, length, resolve);
    });
    if (result >= 0) return;
    if (result !== -errno.EOPNOTSUPP)
      throw new StateError(`cannot allocate ${length} bytes for ${this.path}`, result);
    const zeroes = new Uint8Array(Math.min(length, 1 << 20));
    const end = from + length;
    for (let at = Math.max(await this.size(), from); at < end; at += zeroes.length) {
      await this.writeAt(at, zeroes.subarray(0, Math.min(zeroes.length, end - at)));
    }
  }

  read(position: number, bytes: Uint8Array, done: FileDone): void {
    readWhole(this.#files, this.#fd, bytes, position, this.#underWay.begin(done));
  }
  write(position: number, bytes: Uint8Array, done: FileDone): void {
    writeWhole(this.#files, this.#fd, bytes, position, this.#underWay.begin(done));
  }
  /**
   * Writes, and completes when these bytes are durable; earlier writes may not be. It is one call in place of a write and a
   * sync.
   *
   * @throws Error for a file that was not opened for it, which is our bug
   */
  writeDurably(position: number, bytes: Uint8Array, done: FileDone): void {
    if (this.#durableFd < 0) throw new Error(`${this.path} was not opened for durable writes`);
    writeWhole(this.#files, this.#durableFd, bytes, position, this.#underWay.begin(done));
  }
  sync(done: FileDone): void {
    this.#files.fdatasync(this.#fd, this.#underWay.begin(done));
  }
  /** Closes it once no call is under way: one that is still to be made could meet another file under the descriptor's number. */
  async close(): Promise<void> {
    await this.#underWay.none();
    const close = (fd: number): Promise<number> =>
      completed(`close ${this.path}`, (done) => this.#files.close(fd, done));
    const durableFd = this.#durableFd;
    this.#durableFd = -1;
    try {
      if (durableFd >= 0) await close(durableFd);
    } finally {
      await close(this.#fd);
    }
  }
}
