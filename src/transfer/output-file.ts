// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants, createWriteStream } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { fileLocker, type LockFile } from '../disks/drivers/image-lock.js';
import { errno } from '../posix/errno.js';
import { fileResult, fileStatus } from '../posix/file-answer.js';
import { type FileCalls, NodeFileCalls } from '../posix/index.js';
import { SystemError } from '../posix/system-error.js';
import { copyAttributes } from '../posix/node/copy-attributes.js';
import { FilePlace } from '../server/file-place.js';
import { FileReplacement } from '../server/file-replacement.js';
import { type Copy, type Output, WRITE_BUFFER_BYTES } from './output.js';
import { callFailed } from './transfer-error.js';

export interface OutputFileOptions {
  /** Node's, unless given. */
  readonly files?: FileCalls;
  /** The copy's permissions. By default those of the file before; of a new one its owner's alone. */
  readonly mode?: number | undefined;
  /** Keep the copy before, as `FILE.previous`. */
  readonly keepsPrevious?: boolean;
  /** See FileReplacement; unless given, cp(1) for Node's files and none for others. */
  readonly copyAttributes?: typeof copyAttributes | undefined;
  /** Called with what cannot be kept of the previous file. */
  readonly warn?: ((message: string) => void) | undefined;
}

interface Parts extends OutputFileOptions {
  readonly files: FileCalls;
  readonly path: string;
  /** Undefined for calls that are not the kernel's. */
  readonly lock: LockFile | undefined;
}

/**
 * A file as output. The copy is written beside it, as `FILE.partial` (or `FILE.partial.1` and so on, when a killed backup
 * has left that behind), and takes the name FILE in one step when it is complete and on the disk: {@link FileReplacement}.
 * So under the name FILE there is a whole copy, the one before, or none, whatever happens; a broken one is removed.
 *
 * A device (`/dev/sdb`) has no such step: it is written in place, and a block device only while nothing else has it for
 * itself. A file that is a disk in use, locked by whoever writes it, is not replaced: what the disk writes would be lost.
 *
 * @throws (rejects with) TransferError when FILE cannot be a file: it is a directory, or there is none to hold it
 */
export async function outputToFile(path: string, options: OutputFileOptions = {}): Promise<Output> {
  const atOnce = { post: (task: () => void) => task() };
  const files = options.files ?? new NodeFileCalls(atOnce);
  // Calls that are not the kernel's have no descriptors of it.
  const kernels = options.files ? undefined : { copyAttributes, lock: fileLocker(atOnce) };
  const parts = { copyAttributes: kernels?.copyAttributes, lock: kernels?.lock, ...options, files, path };
  try {
    const place = await FilePlace.find(files, path);
    try {
      const isFile = refuseOther(place);
      await access(isFile ? place.at('.') : place.at(), constants.W_OK);
      if (isFile) await refuseInUse(place, parts);
    } finally {
      await place.close();
    }
  } catch (error) {
    throw callFailed(`cannot write ${path}`, error);
  }
  return { name: path, appends: false, begin: () => begin(parts) };
}

async function begin(parts: Parts): Promise<Copy> {
  const { files, path } = parts;
  try {
    const place = await FilePlace.find(files, path);
    try {
      return refuseOther(place) ? await beginBeside(place, parts) : await beginInPlace(place, parts);
    } catch (error) {
      await place.close();
      throw error;
    }
  } catch (error) {
    throw callFailed(`cannot write ${path}`, error);
  }
}

/** Whether there is a regular file, or nothing; false for a device. @throws SystemError for anything else */
function refuseOther({ existing }: FilePlace): boolean {
  if (existing === undefined) return true;
  switch (existing.kind) {
    case 'regular':
      return true;
    case 'block':
    case 'character':
      return false;
    case 'directory':
      throw new SystemError('EISDIR', 'it is a directory; name a file in it');
    default: {
      const what = { fifo: 'a FIFO', socket: 'a socket', link: 'a link', other: 'no file' }[existing.kind];
      throw new SystemError('EINVAL', `it is ${what}; give it as standard output instead`);
    }
  }
}

/** @throws (rejects with) SystemError EBUSY for a file that another process has locked as its disk */
async function refuseInUse(place: FilePlace, { files, lock }: Parts): Promise<void> {
  if (lock === undefined || place.existing === undefined) return;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = await new Promise<number>((resolve) => {
    files.open(place.at(), flags, resolve);
  });
  // It has gone, or is nobody's to read: then it is not ours to ask.
  if (fd < 0) return;
  try {
    const result = await new Promise<number>((resolve) => {
      lock(fd, true, resolve);
    });
    if (result === -errno.EBUSY)
      throw new SystemError('EBUSY', 'it is a disk in use: open for writing elsewhere');
  } finally {
    await fileResult((done) => files.close(fd, done));
  }
}

async function beginInPlace(place: FilePlace, { files, path }: Parts): Promise<Copy> {
  // Mounted file systems, and disks, have block devices for themselves.
  const exclusive = place.existing?.kind === 'block' ? constants.O_EXCL : 0;
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | exclusive;
  const fd = await fileResult((done) => files.open(place.at(), flags, done));
  const file = new OutputFile(fd);
  const opened = await fileStatus((done) => files.fstat(fd, done));
  if (opened?.inode !== place.existing?.inode || opened?.kind !== place.existing?.kind) {
    await file.close();
    throw new SystemError('EBUSY', 'it was replaced by another file meanwhile');
  }
  await place.close();
  return {
    stream: file.stream,
    commit: () =>
      ending(path, file, async () => {
        await file.flush();
        await syncIfKnown(files, fd);
      }),
    abandon: () => file.close(),
  };
}

async function beginBeside(place: FilePlace, parts: Parts): Promise<Copy> {
  const { files, path, mode, keepsPrevious = false, copyAttributes: copy, warn = () => {} } = parts;
  await refuseInUse(place, parts);
  const replacement = await FileReplacement.begin(place, {
    files,
    mode,
    keepsPrevious,
    copyAttributes: copy,
    warn: (message) => warn(`${path}: ${message}`),
  });
  const file = new OutputFile(replacement.fd);
  return {
    stream: file.stream,
    commit: () =>
      ending(path, file, async () => {
        try {
          await file.flush();
          await refuseInUse(place, parts);
        } catch (error) {
          await replacement.abandon();
          throw error;
        }
        await replacement.commit();
      }),
    abandon: async () => {
      await file.close();
      await replacement.abandon();
    },
  };
}

async function ending(path: string, file: OutputFile, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw callFailed(`cannot write ${path}`, error);
  } finally {
    await file.close();
  }
}

/** A file that is open for writing, and its stream. The stream closes it, and not before it is asked to. */
class OutputFile {
  readonly stream: Writable;

  constructor(fd: number) {
    this.stream = createWriteStream('', { fd, autoClose: false, highWaterMark: WRITE_BUFFER_BYTES });
  }

  /** Brings all that the stream has taken to the file. */
  async flush(): Promise<void> {
    // Asked after the end of a stream that does not close itself, it would not wait for what is on its way.
    const isFinished = finished(this.stream);
    this.stream.end();
    await isFinished;
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

/** Brings a device to stable storage; what has none (/dev/null) does not know how. */
async function syncIfKnown(files: FileCalls, fd: number): Promise<void> {
  try {
    await fileResult((done) => files.fsync(fd, done));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EROFS') throw error;
  }
}
