// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { imageSizer } from '../../../../src/disks/drivers/index.js';
import { type DiskCalls, VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { type Outcome, runSteps, type Steps } from '../../../../src/disks/drivers/vhd/steps.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { errno } from '../../../../src/posix/errno.js';
import { FileNode } from '../../../../src/testing/files/file-node.js';
import type { SimulatedFileSystem } from '../../../../src/testing/index.js';
import type { FileCalls, FileDone, FileStatus, PathDone, StatusDone } from '../../../../src/posix/files.js';

/** The calls that reading an image takes. */
type ReadCalls = Pick<FileCalls, 'stat' | 'fstat' | 'open' | 'read' | 'realpath' | 'close'>;

/** Reads the files of a simulated file system at once, without a world around it. */
export class StateFiles implements ReadCalls {
  readonly #system: SimulatedFileSystem;
  readonly #opened: FileNode[] = [];

  constructor(system: SimulatedFileSystem) {
    this.#system = system;
  }

  stat(path: string, done: StatusDone): void {
    const node = this.#system.lookup(path);
    if (node instanceof FileNode) done(0, statusOf(node));
    else done(typeof node === 'number' ? node : -errno.EISDIR);
  }
  realpath(path: string, done: PathDone): void {
    const node = this.#system.lookup(path);
    if (typeof node === 'number') done(node);
    else done(0, path);
  }
  open(path: string, _flags: number, done: FileDone): void {
    const node = this.#system.lookup(path);
    done(node instanceof FileNode ? this.#opened.push(node) - 1 : -errno.ENOENT);
  }
  fstat(fd: number, done: StatusDone): void {
    done(0, statusOf(this.#node(fd)));
  }
  read(fd: number, buffer: Uint8Array, position: number, done: FileDone): void {
    done(this.#node(fd).read(buffer, position) ?? -errno.EIO);
  }
  close(_fd: number, done: FileDone): void {
    done(0);
  }

  #node(fd: number): FileNode {
    const node = this.#opened[fd];
    if (!node) throw new Error(`nothing is open as ${fd}`);
    return node;
  }
}

function statusOf(node: FileNode): FileStatus {
  const { kind, size, id: inode, mode, modifiedSeconds } = node;
  return {
    kind,
    size,
    device: '0:0',
    inode,
    fileSystem: 1,
    mode,
    uid: 0,
    gid: 0,
    modifiedSeconds,
    changedSeconds: modifiedSeconds,
  };
}

/** The calls that look at a file system as it is. */
export function stateCalls(system: SimulatedFileSystem): DiskCalls {
  return {
    files: new StateFiles(system) as unknown as FileCalls,
    size: imageSizer({ post: (task) => task() }),
    lock: (_fd, _shared, done) => done(-errno.ENOTSUP),
    logger: { log: () => {} },
  };
}

/** Runs steps whose calls all complete at once. @throws what they throw */
export function stateOutcome<T>(steps: Steps<T>): T {
  let ended: Outcome<T> | undefined;
  runSteps(steps, (outcome) => (ended = outcome));
  if (!ended) throw new Error('the steps have not ended');
  if ('error' in ended) throw ended.error;
  return ended.value;
}

/** Opens a chain and reads all of the disk. @throws Error when it cannot */
export function readState(system: SimulatedFileSystem, path: string): Uint8Array {
  const disk = stateOutcome(VhdDisk.open(stateCalls(system), path, { readOnly: true }));
  const { sectors } = disk;
  const buffer = new Uint8Array(sectors * SECTOR_SIZE);
  let code = Number.NaN;
  disk.read({ sector: 0, sectors, buffer, complete: () => {} }, (result) => (code = result));
  if (code !== 0) throw new Error(`read: ${code}`);
  return buffer;
}
