// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs from 'node:fs';
import { errno } from '../errno.js';
import { exactText } from '../exact-text.js';
import { fileRangeFault } from '../file-range.js';
import type { FileCalls, FileDone, FileStatus, FileType, NamesDone, PathDone, StatusDone } from '../files.js';
import { FALLOCATE_PROGRAM, fallocate } from './fallocate.js';
import type { TaskQueue } from './task-queue.js';

type NodeError = NodeJS.ErrnoException | null;

/** Node's asynchronous file calls; they run in libuv's thread pool (UV_THREADPOOL_SIZE, 4 unless set, for the whole process). */
export class NodeFileCalls implements FileCalls {
  readonly #tasks: TaskQueue;
  readonly #fallocateProgram: string;

  constructor(tasks: TaskQueue, fallocateProgram = FALLOCATE_PROGRAM) {
    this.#tasks = tasks;
    this.#fallocateProgram = fallocateProgram;
  }

  stat(path: string, done: StatusDone): void {
    this.#make(done, () => fs.stat(path, (error, stats) => this.#completeStatus(error, stats, done)));
  }
  lstat(path: string, done: StatusDone): void {
    this.#make(done, () => fs.lstat(path, (error, stats) => this.#completeStatus(error, stats, done)));
  }
  realpath(path: string, done: PathDone): void {
    this.#make(done, () =>
      fs.realpath.native(path, { encoding: 'buffer' }, (error, real) =>
        this.#tasks.post(() => {
          const text = error ? undefined : exactText(real);
          if (text === undefined) done(error ? negative(error) : -errno.EILSEQ);
          else done(0, text);
        }),
      ),
    );
  }
  open(path: string, flags: number, done: FileDone, mode = 0o666): void {
    this.#make(done, () => fs.open(path, flags, mode, (error, fd) => this.#complete(error, fd, done)));
  }
  fstat(fd: number, done: StatusDone): void {
    this.#make(done, () => fs.fstat(fd, (error, stats) => this.#completeStatus(error, stats, done)));
  }
  read(fd: number, buffer: Uint8Array, position: number, done: FileDone): void {
    this.#makeInRange(position, buffer.length, done, () =>
      fs.read(fd, buffer, 0, buffer.length, position, (error, count) => this.#complete(error, count, done)),
    );
  }
  write(fd: number, buffer: Uint8Array, position: number, done: FileDone): void {
    this.#makeInRange(position, buffer.length, done, () =>
      fs.write(fd, buffer, 0, buffer.length, position, (error, count) => this.#complete(error, count, done)),
    );
  }
  fdatasync(fd: number, done: FileDone): void {
    this.#make(done, () => fs.fdatasync(fd, (error) => this.#complete(error, 0, done)));
  }
  fsync(fd: number, done: FileDone): void {
    this.#make(done, () => fs.fsync(fd, (error) => this.#complete(error, 0, done)));
  }
  ftruncate(fd: number, length: number, done: FileDone): void {
    this.#makeInRange(0, length, done, () =>
      fs.ftruncate(fd, length, (error) => this.#complete(error, 0, done)),
    );
  }
  fchmod(fd: number, mode: number, done: FileDone): void {
    this.#make(done, () => fs.fchmod(fd, mode, (error) => this.#complete(error, 0, done)));
  }
  fchown(fd: number, uid: number, gid: number, done: FileDone): void {
    this.#make(done, () => fs.fchown(fd, uid, gid, (error) => this.#complete(error, 0, done)));
  }
  allocate(fd: number, offset: number, length: number, done: FileDone): void {
    this.#makeInRange(offset, length, done, () =>
      fallocate(this.#tasks, fd, { offset, length }, done, this.#fallocateProgram),
    );
  }
  punchHole(fd: number, offset: number, length: number, done: FileDone): void {
    this.#makeInRange(offset, length, done, () =>
      fallocate(this.#tasks, fd, { offset, length, punchHole: true }, done, this.#fallocateProgram),
    );
  }
  close(fd: number, done: FileDone): void {
    this.#make(done, () => fs.close(fd, (error) => this.#complete(error, 0, done)));
  }
  rename(from: string, to: string, done: FileDone): void {
    this.#make(done, () => fs.rename(from, to, (error) => this.#complete(error, 0, done)));
  }
  link(existing: string, path: string, done: FileDone): void {
    this.#make(done, () => fs.link(existing, path, (error) => this.#complete(error, 0, done)));
  }
  unlink(path: string, done: FileDone): void {
    this.#make(done, () => fs.unlink(path, (error) => this.#complete(error, 0, done)));
  }
  mkdir(path: string, mode: number, done: FileDone): void {
    this.#make(done, () => fs.mkdir(path, mode, (error) => this.#complete(error, 0, done)));
  }
  readdir(path: string, done: NamesDone): void {
    this.#make(done, () =>
      fs.readdir(path, { encoding: 'buffer' }, (error, names) =>
        this.#tasks.post(() => {
          const texts = error ? [] : names.map(exactText).filter((text) => text !== undefined);
          if (error) done(negative(error));
          else if (texts.length < names.length) done(-errno.EILSEQ);
          else done(0, texts);
        }),
      ),
    );
  }
  syncDirectory(path: string, done: FileDone): void {
    const { O_RDONLY, O_DIRECTORY } = fs.constants;
    this.open(path, O_RDONLY | O_DIRECTORY, (fd) => {
      if (fd < 0) done(fd);
      else this.fsync(fd, (synced) => this.close(fd, (closed) => done(synced < 0 ? synced : closed)));
    });
  }

  /** What Node throws about an argument is the call's result: the caller gets it, and nobody else has to know. */
  #make(done: (result: number) => void, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#tasks.post(() => done(negative(error as NodeJS.ErrnoException)));
    }
  }
  /** Node takes a position that it does not know for none, and writes where the descriptor stands. */
  #makeInRange(position: number, length: number, done: FileDone, call: () => void): void {
    const fault = fileRangeFault(position, length);
    if (fault < 0) this.#tasks.post(() => done(fault));
    else this.#make(done, call);
  }
  #complete(error: NodeError, result: number, done: FileDone): void {
    this.#tasks.post(() => done(error ? negative(error) : result));
  }
  #completeStatus(error: NodeError, stats: fs.Stats, done: StatusDone): void {
    this.#tasks.post(() => (error ? done(negative(error)) : done(0, fileStatus(stats))));
  }
}

/** Node's errors of system calls have the negative errno; one without is not from the system, but about an argument. */
function negative({ errno: number, code = '' }: NodeJS.ErrnoException): number {
  if (number !== undefined && number < 0) return number;
  return /^ERR_(?:OUT_OF_RANGE|INVALID_ARG)/.test(code) ? -errno.EINVAL : -errno.EIO;
}

function fileStatus(stats: fs.Stats): FileStatus {
  return {
    kind: fileType(stats),
    size: stats.size,
    device: `${majorOf(stats.rdev)}:${minorOf(stats.rdev)}`,
    inode: stats.ino,
    fileSystem: stats.dev,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    modifiedSeconds: stats.mtimeMs / 1000,
    changedSeconds: stats.ctimeMs / 1000,
  };
}

function fileType(stats: fs.Stats): FileType {
  if (stats.isFile()) return 'regular';
  if (stats.isBlockDevice()) return 'block';
  if (stats.isCharacterDevice()) return 'character';
  if (stats.isDirectory()) return 'directory';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/** Linux's dev_t, as in stat: minor's low byte, 12 bits of major, the rest of minor (numbers below 2^32 only). */
function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}
function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}
