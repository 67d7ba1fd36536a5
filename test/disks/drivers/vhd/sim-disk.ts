// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../../src/posix/errno.js';
import type { FileCalls, FileStatus } from '../../../../src/posix/files.js';
import { type DiskCalls, type DiskOptions, VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { type Outcome, runSteps, type Steps } from '../../../../src/disks/drivers/vhd/steps.js';
import { imageSizer } from '../../../../src/disks/drivers/index.js';
import { type Done, SECTOR_SIZE } from '../../../../src/disks/index.js';
import type { FileWorld } from '../../../testing/files/fixture.js';

const atOnce = { post: (task: () => void) => task() };

/** The calls of a simulated host's running process. */
export function simulatedCalls(world: FileWorld): DiskCalls {
  const files = world.files.calls();
  return {
    files,
    size: imageSizer(atOnce),
    lock: (fd, shared, done) => files.flock(fd, shared, done),
    logger: world.host.logger,
  };
}

/** The same, with one file that seems to be a block device: its size cannot be changed. */
export function withDevice(calls: DiskCalls, inode: number): DiskCalls {
  const files = Object.create(calls.files) as FileCalls;
  const seen = (status: FileStatus | undefined): FileStatus | undefined =>
    status?.inode === inode ? { ...status, kind: 'block', device: `8:${inode}` } : status;
  files.stat = (path, done) => calls.files.stat(path, (result, status) => done(result, seen(status)));
  files.fstat = (fd, done) => calls.files.fstat(fd, (result, status) => done(result, seen(status)));
  files.ftruncate = (_fd, _length, done) => done(-errno.EINVAL);
  for (const name of [
    'open',
    'read',
    'write',
    'fdatasync',
    'fsync',
    'close',
    'realpath',
    'punchHole',
  ] as const) {
    Object.assign(files, { [name]: calls.files[name].bind(calls.files) });
  }
  return { ...calls, files, size: ({ size }, done) => done(Math.floor(size / SECTOR_SIZE)) };
}

/** Runs steps while the world goes on. */
export function simulated<T>(world: FileWorld, steps: Steps<T>): Promise<T> {
  return world.world.complete(
    new Promise<T>((resolve, reject) => {
      runSteps(steps, (ended: Outcome<T>) => ('error' in ended ? reject(ended.error) : resolve(ended.value)));
    }),
  );
}

export function openSimulated(
  world: FileWorld,
  path: string,
  options: DiskOptions,
  calls = simulatedCalls(world),
): Promise<VhdDisk> {
  return simulated(world, VhdDisk.open(calls, path, options));
}

/** The result that a call completes with while the world goes on. */
export function simulatedResult(world: FileWorld, call: (done: Done) => void): Promise<number> {
  return world.world.complete(new Promise<number>(call));
}

/** Sectors that are all words of one number. */
export function tagged(count: number, tag: number): Uint8Array {
  const bytes = Buffer.alloc(count * SECTOR_SIZE);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(tag, at);
  return bytes;
}
