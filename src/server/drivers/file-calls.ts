// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { close, fdatasync, fstat, open, read, stat, write } from 'node:fs';
import type { Stats } from 'node:fs';
import { errno } from '../../posix/errno.js';
import type { Completions, Done } from '../vbd/index.js';

/** What a file is, as far as a disk cares. */
export interface FileKind {
  readonly kind: 'regular' | 'block' | 'other';
  /** In bytes; of a regular file. */
  readonly size: number;
  /** Major and minor number of a block device, `7:0`. */
  readonly device: string;
}

/** Told a result >= 0 or a negative errno, and what a file is when that was asked and the result is 0. */
export type DoneKind = (result: number, kind?: FileKind) => void;

/** The file calls that a disk needs. None waits; each completes on the scheduler with a result >= 0 or a negative errno. */
export interface FileCalls {
  stat(path: string, done: DoneKind): void;
  /** The descriptor is the kernel's, not one of the project's table. */
  open(path: string, flags: number, done: Done): void;
  fstat(fd: number, done: DoneKind): void;
  /** Reads into `buffer`; the result may be less than its length, and is 0 at the end. */
  read(fd: number, buffer: Uint8Array, position: number, done: Done): void;
  /** The result may be less than the length. */
  write(fd: number, buffer: Uint8Array, position: number, done: Done): void;
  fdatasync(fd: number, done: Done): void;
  close(fd: number, done: Done): void;
}

type NodeError = NodeJS.ErrnoException | null;

/** Node's asynchronous file calls; they run in libuv's thread pool (UV_THREADPOOL_SIZE, 4 unless set, for the whole process). */
export class NodeFileCalls implements FileCalls {
  readonly #completions: Completions;

  constructor(completions: Completions) {
    this.#completions = completions;
  }

  stat(path: string, done: DoneKind): void {
    stat(path, (error, stats) => this.#completions.post(() => tellKind(error, stats, done)));
  }
  open(path: string, flags: number, done: Done): void {
    open(path, flags, (error, fd) => this.#complete(error, fd, done));
  }
  fstat(fd: number, done: DoneKind): void {
    fstat(fd, (error, stats) => this.#completions.post(() => tellKind(error, stats, done)));
  }
  read(fd: number, buffer: Uint8Array, position: number, done: Done): void {
    read(fd, buffer, 0, buffer.length, position, (error, count) => this.#complete(error, count, done));
  }
  write(fd: number, buffer: Uint8Array, position: number, done: Done): void {
    write(fd, buffer, 0, buffer.length, position, (error, count) => this.#complete(error, count, done));
  }
  fdatasync(fd: number, done: Done): void {
    fdatasync(fd, (error) => this.#complete(error, 0, done));
  }
  close(fd: number, done: Done): void {
    close(fd, (error) => this.#complete(error, 0, done));
  }

  #complete(error: NodeError, result: number, done: Done): void {
    this.#completions.post(() => done(error ? negative(error) : result));
  }
}

/** Node's errors of system calls have the negative errno; one without is not from the system. */
function negative(error: NodeJS.ErrnoException): number {
  return error.errno !== undefined && error.errno < 0 ? error.errno : -errno.EIO;
}

function tellKind(error: NodeError, stats: Stats, done: DoneKind): void {
  if (error) {
    done(negative(error));
    return;
  }
  const kind = stats.isFile() ? 'regular' : stats.isBlockDevice() ? 'block' : 'other';
  done(0, { kind, size: stats.size, device: `${majorOf(stats.rdev)}:${minorOf(stats.rdev)}` });
}

/** Linux's dev_t, as stat has it: minor's low byte, 12 bits of major, the rest of minor (numbers below 2^32 only). */
function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}
function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}
