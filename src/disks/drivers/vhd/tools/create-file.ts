// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { errno } from '../../../../posix/errno.js';
import { type ImageCalls, ImageFile, result } from '../image-file.js';
import { type Steps, wait } from '../steps.js';
import { FileError } from '../vhd-error.js';
import type { Part } from './new-image.js';

/** What has data of a disk is nobody else's business. */
const PRIVATE_MODE = 0o600;

/** Makes a file that its owner alone may read, fills it, and brings it and its name to stable storage; without that there is no file. Nothing is replaced. @throws FileError */
export function* createFile(
  calls: ImageCalls,
  path: string,
  fill: (file: ImageFile) => Steps<void>,
): Steps<void> {
  const { files } = calls;
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  const fd = yield* result(path, 'create', (done) => files.open(path, flags, done, PRIVATE_MODE));
  // A umask may take bits from the owner too. Where there are no modes this fails, and does not matter.
  yield* wait<number>((done) => files.fchmod(fd, PRIVATE_MODE, done));
  /** To be closed after a failure; whatever close returns, the descriptor is gone. */
  let file: ImageFile | undefined;
  try {
    yield* result(path, 'close', (done) => files.close(fd, done));
    const opened = yield* ImageFile.open(calls, path, constants.O_RDWR | constants.O_NOFOLLOW);
    file = opened;
    yield* fill(opened);
    yield* opened.sync();
    file = undefined;
    yield* opened.close();
    yield* syncName(calls, path);
  } catch (error) {
    const left = file;
    if (left) yield* wait<number>((done) => files.close(left.fd, done));
    yield* wait<number>((done) => files.unlink(path, done));
    throw error;
  }
}

function* syncName({ files }: ImageCalls, path: string): Steps<void> {
  const directory = dirname(path);
  const synced = yield* wait<number>((done) => files.syncDirectory(directory, done));
  // Some file systems have nothing to sync in a directory.
  if (synced < 0 && synced !== -errno.EINVAL) throw new FileError(directory, 'sync', -synced);
}

export function* writeParts(file: ImageFile, parts: Iterable<Part>): Steps<void> {
  for (const { position, bytes } of parts) yield* file.write(position, bytes);
}
