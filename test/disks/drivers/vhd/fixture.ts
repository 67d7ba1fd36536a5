// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';
import { type DiskCalls, type DiskOptions, VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { imageSizer } from '../../../../src/disks/drivers/index.js';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import type { Done } from '../../../../src/disks/index.js';
import { NodeFileCalls } from '../../../../src/posix/index.js';

/** A directory for images, until the test has ended. */
export function imageDirectory(t: Test): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'vhd-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

const atOnce = { post: (task: () => void) => task() };

/** Node's file calls without a scheduler and without locks. Lines of the log go to `lines`. */
export function nodeCalls(lines: string[] = []): DiskCalls {
  return {
    files: new NodeFileCalls(atOnce),
    size: imageSizer(atOnce),
    lock: (_fd, _shared, done) => done(0),
    logger: { log: (_priority, line) => void lines.push(line) },
  };
}

export function openDisk(
  file: string,
  options: Partial<DiskOptions> = {},
  calls: DiskCalls = nodeCalls(),
): Promise<VhdDisk> {
  return promiseOf(VhdDisk.open(calls, file, { readOnly: false, ...options }));
}

export function closeDisk(disk: VhdDisk): Promise<void> {
  return promiseOf(disk.close());
}

/** The result that a call completes with. */
export function resultOf(call: (done: Done) => void): Promise<number> {
  return new Promise((resolve) => {
    call(resolve);
  });
}

/** The sectors' bytes, or the negative errno. */
export async function readDisk(disk: VhdDisk, sector: number, sectors: number): Promise<Buffer | number> {
  // Not zeroes, so that what was not read shows.
  const buffer = Buffer.alloc(sectors * 512, 0xee);
  const result = await resultOf((done) => disk.read({ sector, sectors, buffer, complete: done }, done));
  return result < 0 ? result : buffer;
}

export function writeDisk(disk: VhdDisk, sector: number, buffer: Uint8Array): Promise<number> {
  const sectors = buffer.length / 512;
  return resultOf((done) => disk.write({ sector, sectors, buffer, complete: done }, done));
}

export function flushDisk(disk: VhdDisk): Promise<number> {
  return resultOf((done) => disk.flush(done));
}

/** The parts that an image of the chain has. */
export function allocatedRanges(disk: VhdDisk): Promise<readonly { sector: number; sectors: number }[]> {
  return new Promise((resolve, reject) => {
    disk.extents({ sector: 0, sectors: disk.sectors }, (result, extents) => {
      if (result < 0) reject(new Error(`extents: ${result}`));
      else resolve(extents.filter(({ isAllocated }) => isAllocated));
    });
  });
}
