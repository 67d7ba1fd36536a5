// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import { errno } from '../../posix/errno.js';
import type { FileCalls } from '../../posix/files.js';
import { createJournal } from './backup/backup-role.js';
import { randomHex } from './format/fields.js';
import { grainSectorsOf } from './format/map-sector.js';
import { type Metadata, NO_DISK, NO_ID } from './format/metadata-record.js';
import type { ImageIdentity, LocalDisk } from './local-disk.js';
import { MetadataFile } from './metadata-file.js';
import type { ReplicationOptions } from './options.js';
import { DirtyMap } from './primary/dirty-map.js';
import { closedOnFailure, completed, StateError } from './state-file.js';

export interface OpenStateParts {
  readonly files: FileCalls;
  readonly disk: LocalDisk;
  readonly options: ReplicationOptions;
  readonly random: (bytes: Uint8Array) => void;
  readonly notice: (message: string) => void;
}

/** The files of a disk that both roles have. */
export interface State {
  readonly metadata: MetadataFile;
  readonly map: DirtyMap;
}

/**
 * The state that a directory has, checked against the disk, or undefined when it has none.
 *
 * @throws (rejects with) StateError: -EBADMSG for damage, -ESTALE for an image that is not the metadata's, -EINVAL for
 *   options that contradict them, or a file call's error
 */
export async function loadState(parts: OpenStateParts): Promise<State | undefined> {
  const { files, disk, options, notice } = parts;
  const { directory } = options;
  const made = await new Promise<number>((resolve) => {
    files.mkdir(directory, 0o700, resolve);
  });
  if (made < 0 && made !== -errno.EEXIST) throw new StateError(`cannot make ${directory}`, made);
  await completed(`sync ${path.dirname(directory)}`, (done) =>
    files.syncDirectory(path.dirname(directory), done),
  );
  await completed(`sync ${directory}`, (done) => files.syncDirectory(directory, done));
  const metadata = await MetadataFile.load(files, `${directory}/metadata`, notice);
  if (metadata === undefined) return undefined;
  return closedOnFailure(metadata, async () => {
    checkOptions(metadata.current, options);
    await checkImage(metadata.current, disk);
    const { grainSectors, mapSalt } = metadata.current;
    const grains = Math.ceil(disk.sectors / grainSectors);
    const map = await DirtyMap.load(files, `${directory}/map`, grains, mapSalt, notice);
    return closedOnFailure(map, async () => {
      await completed('write the metadata', (done) => metadata.update({ clean: false }, done));
      return { metadata, map };
    });
  });
}

/** The first state of a directory. The metadata come last: without them there is no state. @throws (rejects with) StateError */
export async function createState(
  parts: OpenStateParts,
  role: 'primary' | 'backup',
  listens: boolean,
): Promise<State> {
  const { files, disk, options, random } = parts;
  const { directory } = options;
  const grainSectors = grainSectorsOf(disk.sectors);
  const mapSalt = randomHex(random, 8);
  const grains = Math.ceil(disk.sectors / grainSectors);
  const map = await DirtyMap.create(files, `${directory}/map`, grains, mapSalt);
  return closedOnFailure(map, async () => {
    if (role === 'backup') await createJournal(files, directory, options.journalBytes);
    // Where there are metadata there must be all that they speak of, whatever a crash leaves of the directory.
    await completed(`sync ${directory}`, (done) => files.syncDirectory(directory, done));
    const isPrimary = role === 'primary';
    // A C primary takes it for equal that the two images are, and so does its backup.
    const hasState = isPrimary || options.peer === 'c';
    const first: Metadata = {
      update: 1,
      diskId: hasState ? randomHex(random, 16) : NO_DISK,
      sectors: disk.sectors,
      image: await identityOf(disk),
      role,
      grainSectors,
      generation: isPrimary ? randomHex(random, 8) : NO_ID,
      sent: 0,
      acked: 0,
      firstLiveSegment: 1,
      resyncId: NO_ID,
      appliedCheckpoint: 0,
      mapSalt,
      ancestors: [],
      promoted: false,
      stale: false,
      splitBrain: false,
      peerIsOwn: options.peer === 'own',
      hasState,
      clean: false,
      inconsistent: !hasState,
      listens,
      rejoining: false,
    };
    const metadata = await MetadataFile.create(files, `${directory}/metadata`, first);
    return closedOnFailure(metadata, async () => {
      await completed(`sync ${directory}`, (done) => files.syncDirectory(directory, done));
      return { metadata, map };
    });
  });
}

/** What the image is now; undefined for what has no identity. @throws (rejects with) StateError */
export async function identityOf(disk: LocalDisk): Promise<ImageIdentity | undefined> {
  let identity: ImageIdentity | undefined;
  if (disk.identify === undefined) return undefined;
  await completed('identify the image', (done) =>
    disk.identify?.((result, found) => {
      identity = found;
      done(result);
    }),
  );
  return identity;
}

function checkOptions({ role, peerIsOwn }: Metadata, options: ReplicationOptions): void {
  if (options.role !== 'auto' && options.role !== role) {
    const how = role === 'backup' ? 'promote' : 'rejoin';
    throw new StateError(`the metadata say ${role}, not ${options.role} (see ${how})`, -errno.EINVAL);
  }
  if (peerIsOwn && options.peer === 'c') {
    throw new StateError('the peer was an own one: peer=c would give its guarantees up', -errno.EINVAL);
  }
}

async function checkImage(metadata: Metadata, disk: LocalDisk): Promise<void> {
  const { sectors, image: was, clean } = metadata;
  if (disk.sectors !== sectors) {
    throw new StateError(`the image has ${disk.sectors} sectors, the metadata say ${sectors}`, -errno.ESTALE);
  }
  const image = await identityOf(disk);
  if (was === undefined || image === undefined) return;
  if (image.inode !== was.inode || image.fileSystem !== was.fileSystem) {
    throw new StateError('the image is another file than the one that was replicated', -errno.ESTALE);
  }
  if (clean && image.modifiedMicroseconds !== was.modifiedMicroseconds) {
    throw new StateError('the image was changed by another program since it was closed', -errno.ESTALE);
  }
}
