// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import { Footer } from '../../../../src/disks/drivers/vhd/footer.js';
import type { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { runSteps } from '../../../../src/disks/drivers/vhd/steps.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { Random } from '../../../../src/testing/index.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { chainFiles, type NewLink } from './new-chain.js';
import { openSimulated, simulatedResult } from './sim-disk.js';

export const LEAF = '/d/leaf.vhd';

/** A world with a chain of empty images; the last one is the leaf. */
export function worldWith(links: readonly Omit<NewLink, 'name'>[], seed = 1): FileWorld {
  const world = new FileWorld({ seed, traceLines: 0 });
  const named = links.map((link, index) => ({
    ...link,
    name: index === links.length - 1 ? 'leaf.vhd' : `parent${index}.vhd`,
  }));
  for (const [name, bytes] of chainFiles(named, new Random(seed))) world.files.put(`/d/${name}`, bytes);
  return world;
}

export const open = (world: FileWorld, path = LEAF, readOnly = false): Promise<VhdDisk> =>
  openSimulated(world, path, { readOnly });

/** Sectors each of which is a footer for another disk; the leaf has to be whole. */
export function forgedFooters(world: FileWorld, count: number): Uint8Array {
  const footer = new Footer(world.files.contents(LEAF).slice(-SECTOR_SIZE));
  const { bytes } = footer.with({ currentSize: SECTOR_SIZE });
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

export function write(world: FileWorld, disk: VhdDisk, sector: number, buffer: Uint8Array): Promise<number> {
  const range = { sector, sectors: buffer.length / SECTOR_SIZE, buffer };
  return simulatedResult(world, (done) => disk.write({ ...range, complete: done }, done));
}

export const flush = (world: FileWorld, disk: VhdDisk): Promise<number> =>
  simulatedResult(world, (done) => disk.flush(done));

/** The tag of each sector, or the errno of reading. */
export async function tags(
  world: FileWorld,
  disk: VhdDisk,
  sector: number,
  sectors: number,
): Promise<readonly number[]> {
  const buffer = Buffer.alloc(sectors * SECTOR_SIZE, 0xee);
  const range = { sector, sectors, buffer };
  const result = await simulatedResult(world, (done) => disk.read({ ...range, complete: done }, done));
  if (result < 0) return [result];
  return Array.from({ length: sectors }, (_, at) => buffer.readUInt32LE(at * SECTOR_SIZE));
}

/** Checks that a disk is closed once the only call that is held has been made, and not before. */
export async function closesAfterHeld(
  t: Test,
  world: FileWorld,
  disk: VhdDisk,
  held: readonly (() => void)[],
): Promise<void> {
  let isClosed = false;
  runSteps(disk.close(), () => (isClosed = true));
  await world.world.run(1);
  t.same([held.length, isClosed], [1, false]);
  held[0]?.();
  await world.world.run(1);
  t.equal(isClosed, true);
}
