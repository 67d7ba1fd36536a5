// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

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
  return { kind, size, device: '0:0', inode, fileSystem: 1, mode, uid: 0, gid: 0, modifiedSeconds };
}
