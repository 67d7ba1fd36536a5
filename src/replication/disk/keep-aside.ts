// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import type { FileCalls } from '../../posix/files.js';
import { type LocalDisk, SECTOR_SIZE } from './local-disk.js';
import { closedOnFailure, completed, StateFile } from './state-file.js';

export interface KeepAsideParts {
  readonly files: FileCalls;
  readonly disk: LocalDisk;
  /** Of the new file; its description is beside it, under the same name with `.json`. */
  readonly path: string;
  readonly grains: Iterable<number>;
  readonly grainSectors: number;
}

/**
 * Copies grains of a disk to a sparse file as long as the disk, each at its own place, and says in a second file which they
 * are. Both, and their directory, are synced.
 *
 * @throws (rejects with) StateError
 */
export async function keepAside({
  files,
  disk,
  path: name,
  grains,
  grainSectors,
}: KeepAsideParts): Promise<void> {
  const file = await StateFile.create(files, name);
  const ranges: { sector: number; sectors: number }[] = [];
  await closedOnFailure(file, async () => {
    await file.truncate(disk.sectors * SECTOR_SIZE);
    const buffer = Buffer.allocUnsafe(grainSectors * SECTOR_SIZE);
    for (const grain of grains) {
      const sector = grain * grainSectors;
      const sectors = Math.min(grainSectors, disk.sectors - sector);
      const bytes = buffer.subarray(0, sectors * SECTOR_SIZE);
      await completed('read the image', (done) => disk.read(sector, bytes, done));
      await file.writeAt(sector * SECTOR_SIZE, bytes);
      const last = ranges.at(-1);
      if (last && last.sector + last.sectors === sector) last.sectors += sectors;
      else ranges.push({ sector, sectors });
    }
    await file.synced();
  });
  await file.close();
  const list = await StateFile.create(files, `${name}.json`);
  await closedOnFailure(list, async () => {
    await list.writeAt(0, Buffer.from(`${JSON.stringify({ sectorSize: SECTOR_SIZE, ranges })}\n`, 'utf8'));
    await list.synced();
  });
  await list.close();
  const directory = path.dirname(name);
  await completed(`sync ${directory}`, (done) => files.syncDirectory(directory, done));
}
