// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errno } from '../posix/errno.js';
import { fileResult, fileStatus } from '../posix/file-answer.js';
import type { FileCalls, FileStatus } from '../posix/files.js';
import { openDirectoryPath } from '../posix/index.js';
import { namesDirectory, pathIn } from '../posix/path-text.js';
import { SystemError } from '../posix/system-error.js';
import { linkOfAnother, whoCouldReplace } from './trusted-directory.js';

const WORLD_WRITES = 0o002;

/**
 * Where a file is, or is to be: looked up once, with its directory held open, so that whatever others do to the path
 * afterwards leads nowhere else.
 *
 * A link is followed, but only where nobody else could have put it; nor is another user's file taken in a directory
 * that everybody can write to.
 */
export class FilePlace {
  /** What is there; undefined for nothing. It is no link. */
  readonly existing: FileStatus | undefined;
  readonly name: string;
  readonly #files: FileCalls;
  readonly #directory: string;
  readonly #fd: number;

  private constructor(files: FileCalls, path: string, fd: number, existing: FileStatus | undefined) {
    this.#files = files;
    this.name = basename(path);
    this.#directory = dirname(path);
    this.#fd = fd;
    this.existing = existing;
  }

  /** @throws (rejects with) SystemError, whose message names no path */
  static async find(files: FileCalls, path: string): Promise<FilePlace> {
    if (namesDirectory(path)) throw new SystemError('EISDIR', 'it names a directory; name a file in it');
    const foreign = linkOfAnother(path);
    if (foreign !== undefined) throw new SystemError('EPERM', foreign);
    const target = await followed(files, path);
    const { O_RDONLY, O_DIRECTORY } = constants;
    const directory = dirname(target);
    const fd = await fileResult((done) => files.open(directory, O_RDONLY | O_DIRECTORY, done));
    try {
      const inside = pathIn(openDirectoryPath(fd, directory), basename(target));
      const existing = await fileStatus((done) => files.lstat(inside, done));
      const holder = await fileStatus((done) => files.fstat(fd, done));
      if (existing !== undefined && holder !== undefined) refuseForeign(existing, holder);
      return new FilePlace(files, target, fd, existing);
    } catch (error) {
      await fileResult((done) => files.close(fd, done));
      throw error;
    }
  }

  /** A path in the directory that leads there whatever becomes of its name. */
  at(name: string = this.name): string {
    return pathIn(openDirectoryPath(this.#fd, this.#directory), name);
  }

  /**
   * Whether a file that takes the name now is found under the path, in the place of what {@link existing} was.
   *
   * @throws (rejects with) SystemError when the directory is another by now, or the file another user's
   */
  async check(): Promise<void> {
    const files = this.#files;
    const [held, named] = [
      await fileStatus((done) => files.fstat(this.#fd, done)),
      await fileStatus((done) => files.stat(this.#directory, done)),
    ];
    if (named === undefined) throw new SystemError('ENOENT', 'no such file or directory');
    if (named.inode !== held?.inode || named.fileSystem !== held.fileSystem)
      throw new SystemError('EBUSY', 'its directory was replaced meanwhile');
    const now = await fileStatus((done) => files.lstat(this.at(), done));
    if (now === undefined) return;
    const uid = this.existing?.uid ?? process.geteuid?.() ?? now.uid;
    if (now.kind !== 'regular' || now.uid !== uid)
      throw new SystemError('EBUSY', 'it was replaced by another file meanwhile');
  }

  /** Makes the names in the directory durable. @throws (rejects with) SystemError */
  async sync(): Promise<void> {
    await fileResult((done) => this.#files.fsync(this.#fd, done));
  }

  async close(): Promise<void> {
    await fileResult((done) => this.#files.close(this.#fd, done));
  }
}

/** Where a path leads: itself, or the file that a link of the user's own means. */
async function followed(files: FileCalls, path: string): Promise<string> {
  const found = await fileStatus((done) => files.lstat(path, done));
  if (found?.kind !== 'link') return path;
  const fault = whoCouldReplace(dirname(path));
  if (fault !== undefined) throw new SystemError('EPERM', `it is a link, and ${fault}`);
  return new Promise((resolve, reject) => {
    files.realpath(path, (result, real) => {
      const leads = result === -errno.EILSEQ ? 'to a path that is not UTF-8' : 'that leads to no file';
      if (real === undefined) reject(new SystemError(result, `it is a link ${leads}`));
      else resolve(real);
    });
  });
}

/** As Linux's fs.protected_regular does: in a directory of everybody's the file may be a trap. */
function refuseForeign(file: FileStatus, directory: FileStatus): void {
  const own = process.geteuid?.() ?? file.uid;
  if ((directory.mode & WORLD_WRITES) === 0 || file.uid === own || file.uid === directory.uid) return;
  throw new SystemError(
    'EACCES',
    `it belongs to another user (uid ${file.uid}), in a directory that everybody can write to`,
  );
}
