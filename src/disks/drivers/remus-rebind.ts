// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { dirname } from 'node:path';
import { errno } from '../../posix/errno.js';
import type { FileCalls } from '../../posix/files.js';
import { imageFileOf } from '../driver.js';
import type { ImageIdentity } from '../../replication/disk/local-disk.js';
import { MetadataFile } from '../../replication/disk/metadata-file.js';
import { completed, StateError } from '../../replication/disk/state-file.js';
import { stateDirectoryOf, parseRemusArgument } from './remus-options.js';

/** The images that a closed replicated disk changes between: both have the same content. */
export interface ImageChange {
  readonly from: string;
  readonly to: string;
}

/**
 * Binds the state of a closed replicated disk to another image of the same content, and returns how to undo that.
 * A name without a replication has nothing to rebind.
 *
 * The metadata are bound to the new image first, and a directory beside the old image is then renamed to lie beside the
 * new one. Whatever a crash leaves, the state is bound to one image: with the other one, the disk is refused or has no state.
 *
 * @param name the disk's name, `remus:HOST:PORT|vhd:/path`
 * @throws (rejects with) StateError: -ESTALE when the state is not bound to the old image as it is now, -EEXIST when there is a
 *   state beside the new image, or a file call's error; nothing is changed then
 */
export async function rebindReplication(
  files: FileCalls,
  name: string,
  { from, to }: ImageChange,
): Promise<() => Promise<void>> {
  const argument = name.split('|').find((element) => element.startsWith('remus:'));
  const options = argument === undefined ? undefined : parseRemusArgument(argument.slice('remus:'.length));
  if (options === undefined || typeof options === 'string') return async () => {};
  const oldIdentity = await identityOf(files, from);
  const newIdentity = await identityOf(files, to);
  const source = options.directory ?? stateDirectoryOf(from);
  const target = options.directory ?? stateDirectoryOf(to);
  if (source !== target && (await exists(files, target))) {
    throw new StateError(`${target}: there is the state of another disk`, -errno.EEXIST);
  }
  const move = async (at: string, old: ImageIdentity, next: ImageIdentity, goal: string): Promise<void> => {
    await bind(files, `${at}/metadata`, old, next);
    if (at === goal) return;
    await completed(`rename ${at}`, (done) => files.rename(at, goal, done));
    await completed(`sync ${dirname(goal)}`, (done) => files.syncDirectory(dirname(goal), done));
    if (dirname(at) === dirname(goal)) return;
    await completed(`sync ${dirname(at)}`, (done) => files.syncDirectory(dirname(at), done));
  };
  await move(source, oldIdentity, newIdentity, target);
  return () => move(target, newIdentity, oldIdentity, source);
}

async function exists(files: FileCalls, path: string): Promise<boolean> {
  const result = await new Promise<number>((resolve) => {
    files.stat(path, resolve);
  });
  return result !== -errno.ENOENT;
}

async function bind(files: FileCalls, path: string, old: ImageIdentity, next: ImageIdentity): Promise<void> {
  const metadata = await MetadataFile.load(files, path, () => {});
  if (metadata === undefined) throw new StateError(`${path}: there is none`, -errno.ESTALE);
  try {
    const { image, clean } = metadata.current;
    if (!clean || image === undefined || !isSame(image, old)) {
      throw new StateError(`${path} is not of this image as it is now`, -errno.ESTALE);
    }
    await completed(`write ${path}`, (done) => metadata.update({ image: next }, done));
  } finally {
    await metadata.close();
  }
}

function isSame(a: ImageIdentity, b: ImageIdentity): boolean {
  return (
    a.fileSystem === b.fileSystem && a.inode === b.inode && a.modifiedMicroseconds === b.modifiedMicroseconds
  );
}

/** The image's identity as drivers report it of an open one. */
function identityOf(files: FileCalls, path: string): Promise<ImageIdentity> {
  return new Promise((resolve, reject) => {
    files.stat(path, (result, status) => {
      if (status) resolve(imageFileOf(path, status));
      else reject(new StateError(`cannot look at ${path}`, result));
    });
  });
}
