// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { errno } from '../errno.js';
import { pathIn } from '../path-text.js';
import { openDirectoryPath } from './open-directory.js';
import { systemErrno } from './system-errno.js';

const RANDOM_BYTES = 6;

/**
 * A directory that nobody else can enter, on the same file system as a path and beside it: what is made there is seen by
 * others only once it is linked out of it, finished.
 *
 * It is held open, so that somebody who can write in the directory around it can remove it, but put nothing else in its
 * place. (Where there is no /proc, its path is used, and that is trusted.)
 */
export class PrivatePlace {
  readonly #directory: string;
  readonly #fd: number;
  readonly #inside: string;

  private constructor(directory: string, fd: number) {
    this.#directory = directory;
    this.#fd = fd;
    this.#inside = openDirectoryPath(fd, directory);
  }

  /** @returns the place, or the negative errno of making a directory beside `path` */
  static beside(path: string): PrivatePlace | number {
    try {
      const directory = fs.mkdtempSync(pathIn(dirname(path), '.tapdisk-ts-'));
      const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
      const place = new PrivatePlace(directory, fs.openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      if (isPrivate(fs.fstatSync(place.#fd))) return place;
      place.remove();
      return -errno.EACCES;
    } catch (error) {
      return systemErrno(error);
    }
  }

  /** A path in it that nothing has had or will have again, short enough for a socket: it ends with `name`'s end. */
  newPath(name: string): string {
    return pathIn(this.#inside, `${randomBytes(RANDOM_BYTES).toString('hex')}.${name.slice(-16)}`);
  }

  /** Removes it and what was made in it, as far as it is still there. */
  remove(): void {
    try {
      for (const name of fs.readdirSync(this.#inside)) fs.rmSync(pathIn(this.#inside, name), { force: true });
      fs.rmdirSync(this.#directory);
    } catch (error) {
      // Somebody else removed it, or put another in its place.
      systemErrno(error);
    } finally {
      fs.closeSync(this.#fd);
    }
  }
}

function isPrivate({ uid, mode }: fs.Stats): boolean {
  return uid === (process.geteuid?.() ?? uid) && (mode & 0o077) === 0;
}
