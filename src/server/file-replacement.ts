// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { fileResult, fileStatus } from '../posix/file-answer.js';
import type { FileCalls, FileStatus } from '../posix/files.js';
import { SystemError } from '../posix/system-error.js';
import type { FilePlace } from './file-place.js';

/** How many unfinished files of one name may lie about before a new one is refused. */
export const MAX_PARTIAL_FILES = 100;
/** The longest name of a file, in bytes (NAME_MAX). */
const MAX_NAME_BYTES = 255;
const PERMISSIONS = 0o777;
/** What has data of a disk is nobody else's business, unless a mode was asked for. */
const PRIVATE_MODE = 0o600;

export interface ReplacementOptions {
  readonly files: FileCalls;
  /** The permissions. By default those of the file before, or 0600. */
  readonly mode?: number | undefined;
  /** Keep the file before, as `NAME.previous`. */
  readonly keepsPrevious?: boolean;
  /**
   * Copies what else there is of the file before, access control lists for example, to the new one, both open: undefined, or
   * why not. Not called where a mode was asked for.
   */
  readonly copyAttributes?: ((from: number, to: number) => Promise<string | undefined>) | undefined;
  /** Called with what cannot be kept of the previous file. */
  readonly warn: (message: string) => void;
}

/**
 * A file that takes the place of another, or of nothing, in one step when it is complete and on stable storage.
 *
 * It is written as `NAME.partial` (`NAME.partial.1` and so on beside others), which nobody else can read. At any moment,
 * also at a loss of power, NAME is the whole file before or the whole new one:
 *
 *     write, owner and mode --fsync--> [link NAME.previous] --> rename NAME.partial NAME --fsync of the directory--> done
 *
 * (When the directory cannot be synced the new file is there, and an error says that it may not outlast a loss of power.)
 * Each step's effect is durable before the next, or does not matter: a name that leads to the new file is only made once
 * the file is durable, and a `.previous` that was made without the rename is one more name of the file that is there.
 */
export class FileReplacement {
  readonly fd: number;
  readonly #options: ReplacementOptions;
  readonly #place: FilePlace;
  readonly #partial: string;

  private constructor(place: FilePlace, options: ReplacementOptions, fd: number, partial: string) {
    this.#place = place;
    this.#options = options;
    this.fd = fd;
    this.#partial = partial;
  }

  /**
   * @param place the replacement's from now on, unless this fails
   * @throws (rejects with) SystemError
   */
  static async begin(place: FilePlace, options: ReplacementOptions): Promise<FileReplacement> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    for (let count = 0; count < MAX_PARTIAL_FILES; count++) {
      const partial = nameBeside(place.name, count === 0 ? '.partial' : `.partial.${count}`);
      try {
        const path = place.at(partial);
        const fd = await fileResult((done) => options.files.open(path, flags, done, PRIVATE_MODE));
        return new FileReplacement(place, options, fd, partial);
      } catch (error) {
        if (!(error instanceof SystemError) || error.code !== 'EEXIST') throw error;
      }
    }
    const first = nameBeside(place.name, '.partial');
    const more = `${MAX_PARTIAL_FILES - 1} more are there from processes that were killed; remove them`;
    throw new SystemError('EEXIST', `${first} and ${more}`);
  }

  /**
   * All that was written takes the name. The descriptor stays open.
   *
   * @throws (rejects with) SystemError; unless it was the directory's sync, the file before is there then and this one gone
   */
  async commit(): Promise<void> {
    const { files, keepsPrevious = false } = this.#options;
    const place = this.#place;
    try {
      await this.#dress();
      await fileResult((done) => files.fsync(this.fd, done));
      await place.check();
      if (keepsPrevious && place.existing !== undefined) await this.#keepPrevious();
      await fileResult((done) => files.rename(place.at(this.#partial), place.at(), done));
    } catch (error) {
      await this.abandon();
      throw error;
    }
    await this.#closingPlace(async () => {
      try {
        await place.sync();
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        const what = 'the new file is there, but may not outlast a loss of power';
        throw new SystemError(error.code, `${what}: ${error.message}`, { cause: error });
      }
    });
  }

  /** The file is gone. Its descriptor stays open. @throws (rejects with) SystemError */
  async abandon(): Promise<void> {
    await this.#closingPlace(() => removeIfThere(this.#options.files, this.#place.at(this.#partial)));
  }

  /** Gives it the owner and mode that it is to have. */
  async #dress(): Promise<void> {
    const { files, mode, warn } = this.#options;
    const { existing } = this.#place;
    const own = await fileStatus((done) => files.fstat(this.fd, done));
    if (existing !== undefined && own !== undefined) await this.#keepOwner(existing, own, warn);
    const permissions = mode ?? (existing === undefined ? PRIVATE_MODE : existing.mode & PERMISSIONS);
    await fileResult((done) => files.fchmod(this.fd, permissions, done));
    // A list changes the permissions to those that it goes with, which are those of the file before.
    if (existing !== undefined && mode === undefined) await this.#keepAttributes();
  }

  async #keepAttributes(): Promise<void> {
    const { files, copyAttributes, warn } = this.#options;
    if (copyAttributes === undefined) return;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    let failure: string | undefined;
    try {
      const from = await fileResult((done) => files.open(this.#place.at(), flags, done));
      try {
        failure = await copyAttributes(from, this.fd);
      } finally {
        await fileResult((done) => files.close(from, done));
      }
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      failure = error.message;
    }
    if (failure === undefined) return;
    warn(`its access control list and extended attributes, if it has any, are not kept: ${failure}`);
  }

  async #keepOwner(before: FileStatus, own: FileStatus, warn: (message: string) => void): Promise<void> {
    const { files } = this.#options;
    if (own.uid === before.uid && own.gid === before.gid) return;
    try {
      await fileResult((done) => files.fchown(this.fd, before.uid, before.gid, done));
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EPERM') throw error;
      warn(`the owner ${before.uid}:${before.gid} cannot be kept, it is ${own.uid}:${own.gid} from now on`);
    }
  }

  async #keepPrevious(): Promise<void> {
    const { files } = this.#options;
    const place = this.#place;
    const previous = place.at(nameBeside(place.name, '.previous'));
    // A name that exists cannot be linked to, but renamed to in one step.
    const link = `${place.at(this.#partial)}~`;
    await removeIfThere(files, link);
    await fileResult((done) => files.link(place.at(), link, done));
    try {
      await fileResult((done) => files.rename(link, previous, done));
    } finally {
      // A rename to another name of the same file does nothing, and leaves the link.
      await removeIfThere(files, link);
    }
  }

  async #closingPlace(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      await this.#place.close();
    }
  }
}

/** A name with a suffix that a directory has room for: a name that is too long is cut, and made distinct by its hash. */
export function nameBeside(name: string, suffix: string): string {
  const room = MAX_NAME_BYTES - Buffer.byteLength(suffix) - 1;
  if (Buffer.byteLength(name) <= room) return name + suffix;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  // As the start of a stream, so that a character that is cut in two is left out.
  const start = new TextDecoder().decode(Buffer.from(name).subarray(0, room - hash.length - 1), {
    stream: true,
  });
  return `${start}~${hash}${suffix}`;
}

async function removeIfThere(files: FileCalls, path: string): Promise<void> {
  try {
    await fileResult((done) => files.unlink(path, done));
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'ENOENT') throw error;
  }
}
