// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { close, constants, createWriteStream, fsync, open } from 'node:fs';
import { access, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Copy, type Output, WRITE_BUFFER_BYTES } from './output.js';
import { callFailed, TransferError } from './transfer-error.js';

/** How many unfinished copies of one name may lie about before a new one is refused. */
export const MAX_PARTIAL_COPIES = 100;
const PERMISSIONS = 0o777;
const NEW_FILE_MODE = 0o666;

const openFile = promisify(open);
const closeFile = promisify(close);
const syncFile = promisify(fsync);

/**
 * A file as output. The copy is written beside it, as `FILE.partial` (or `FILE.partial.1` and so on, when a killed backup
 * has left that behind), and takes the name FILE in one step when it is complete and on the disk. So under the name FILE
 * there is a whole copy, the one before, or none, whatever happens; a broken one is removed.
 *
 * A device (`/dev/sdb`) has no such step: it is written in place.
 *
 * @throws (rejects with) TransferError when FILE cannot be a file: it is a directory, or there is none to hold it
 */
export async function outputToFile(path: string): Promise<Output> {
  try {
    const existing = await statIfThere(path);
    if (existing?.isDirectory()) {
      throw new TransferError('EISDIR', `cannot write ${path}: it is a directory; name a file in it`);
    }
    if (existing?.isFIFO() || existing?.isSocket()) {
      const what = existing.isFIFO() ? 'a FIFO' : 'a socket';
      throw new TransferError(
        'EINVAL',
        `cannot write ${path}: it is ${what}; give it as standard output instead`,
      );
    }
    if (existing !== undefined && !existing.isFile()) {
      await access(path, constants.W_OK);
      return { name: path, appends: false, begin: () => beginInPlace(path) };
    }
    await access(dirname(path), constants.W_OK);
    return { name: path, appends: false, begin: () => beginBeside(path) };
  } catch (error) {
    throw callFailed(`cannot write ${path}`, error);
  }
}

async function beginInPlace(path: string): Promise<Copy> {
  try {
    const file = new OutputFile(await openFile(path, constants.O_WRONLY));
    return {
      stream: file.stream,
      commit: async () => {
        try {
          await file.store();
        } catch (error) {
          throw callFailed(`cannot write ${path}`, error);
        } finally {
          await file.close();
        }
      },
      abandon: () => file.close(),
    };
  } catch (error) {
    throw callFailed(`cannot write ${path}`, error);
  }
}

async function beginBeside(path: string): Promise<Copy> {
  try {
    // The name may be a link, which is to stay one.
    const existing = await statIfThere(path);
    const target = existing === undefined ? path : await realpath(path);
    const { file, partial } = await openPartial(target, (existing?.mode ?? NEW_FILE_MODE) & PERMISSIONS);
    return {
      stream: file.stream,
      commit: async () => {
        try {
          await file.store();
          await rename(partial, target);
          await syncDirectory(dirname(target));
        } catch (error) {
          await removeIfThere(partial);
          throw callFailed(`cannot write ${path}`, error);
        } finally {
          await file.close();
        }
      },
      abandon: async () => {
        await file.close();
        await removeIfThere(partial);
      },
    };
  } catch (error) {
    throw callFailed(`cannot write ${path}`, error);
  }
}

/** A file that is open for writing, and its stream. The stream closes it, and not before it is told to. */
class OutputFile {
  readonly stream: Writable;
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
    this.stream = createWriteStream('', { fd, autoClose: false, highWaterMark: WRITE_BUFFER_BYTES });
  }

  /** Brings all that the stream has taken to stable storage. */
  async store(): Promise<void> {
    this.stream.end();
    await finished(this.stream);
    await sync(this.#fd);
  }

  /** Closes it, whatever is still on its way; what that fails with does not matter any more. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.stream.on('close', resolve);
    });
    this.stream.on('error', () => {});
    if (this.stream.closed) return;
    this.stream.destroy();
    await closed;
  }
}

/** Opens a file of its own: two backups with one output must never write into the same one. */
async function openPartial(target: string, mode: number): Promise<{ file: OutputFile; partial: string }> {
  const first = join(dirname(target), `${basename(target)}.partial`);
  for (let count = 0; count < MAX_PARTIAL_COPIES; count++) {
    const partial = count === 0 ? first : `${first}.${count}`;
    try {
      return { file: new OutputFile(await openFile(partial, 'wx', mode)), partial };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new TransferError(
    'EEXIST',
    `cannot write ${target}: ${first} and ${MAX_PARTIAL_COPIES - 1} more are there from backups that were killed; remove them`,
  );
}

/** Brings a file or a device to stable storage; what has none (/dev/null) does not know how. */
async function sync(fd: number): Promise<void> {
  try {
    await syncFile(fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EROFS') throw error;
  }
}

/** Makes a new name in a directory outlast a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const fd = await openFile(path, 'r');
  try {
    await sync(fd);
  } finally {
    await closeFile(fd);
  }
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
