// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs from 'node:fs';
import { errno } from '../errno.js';
import { systemErrno } from './system-errno.js';

const PERMISSIONS = 0o777;

/** The socket files of this process that are to go with it, however it comes to its end (but by SIGKILL). */
const published = new Set<SocketFile>();
const removeAll = (): void => {
  for (const file of published) file.remove();
};

/**
 * A socket's name in the file system: it appears finished, in one step, never takes the place of anything, and is
 * removed only while it is still this socket's.
 *
 * The socket must be open for as long: that keeps its inode's number from being another file's.
 */
export class SocketFile {
  readonly #path: string;
  readonly #device: bigint;
  readonly #inode: bigint;

  private constructor(path: string, { dev, ino }: fs.BigIntStats) {
    this.#path = path;
    this.#device = dev;
    this.#inode = ino;
  }

  /**
   * Gives the socket that has the private path `from` its name.
   *
   * @param mode its permissions, if they are not to be what the umask leaves
   * @param before the socket that hands its name over: at no moment is there nothing under it
   * @returns the file, or a negative errno: -EADDRINUSE when anything else has the name
   */
  static publish(
    from: string,
    path: string,
    mode: number | undefined,
    before?: SocketFile,
  ): SocketFile | number {
    try {
      if (mode !== undefined) fs.chmodSync(from, mode & PERMISSIONS);
      const file = new SocketFile(path, fs.lstatSync(from, { bigint: true }));
      if (before === undefined || before.#found() === undefined) {
        fs.linkSync(from, path);
        fs.unlinkSync(from);
      } else fs.renameSync(from, path);
      if (published.size === 0) process.on('exit', removeAll);
      published.add(file);
      if (before) published.delete(before);
      return file;
    } catch (error) {
      const number = systemErrno(error);
      return number === -errno.EEXIST ? -errno.EADDRINUSE : number;
    }
  }

  /** What its permissions have been changed to; undefined when the name is not this socket's any more. */
  get mode(): number | undefined {
    const found = this.#found();
    return found === undefined ? undefined : Number(found.mode) & PERMISSIONS;
  }

  /** Takes the name away if it is still this socket's. Idempotent. */
  remove(): void {
    if (!published.delete(this)) return;
    if (published.size === 0) process.off('exit', removeAll);
    try {
      if (this.#found() !== undefined) fs.unlinkSync(this.#path);
    } catch (error) {
      // As of a directory that is gone, or cannot be written any more: the kernel's close cannot report that either.
      systemErrno(error);
    }
  }

  #found(): fs.BigIntStats | undefined {
    const found = fs.lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return found?.dev === this.#device && found.ino === this.#inode ? found : undefined;
  }
}
