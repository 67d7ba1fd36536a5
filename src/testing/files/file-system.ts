// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { errno } from '../../posix/errno.js';
import type { FileChange } from './change.js';
import { PAGE_BYTES } from './content.js';
import { DirectoryNode, type EntryChanges, type Node } from './directory-node.js';
import { FileNode } from './file-node.js';
import { Namespace } from './namespace.js';
import { OpenFile } from './open-file.js';
import { entriesOperation, type FileOperation, redo } from './operation.js';
import { locate, type Place } from './paths.js';
import type { Survival } from './survival.js';

/** How much room there is unless set otherwise. */
export const DEFAULT_CAPACITY_BYTES = 2 ** 30;
const UMASK = 0o022;

/**
 * The file system of a simulated host: what its kernel does when a call is carried out, at once. Results are >= 0 or a
 * negative errno. Nothing of it is lost while the host has power; {@link SimulatedFileSystem.losePower} loses what was not
 * synced.
 */
export class SimulatedFileSystem {
  /** How much all files together may take, in pages of 4096 bytes; less than is taken already is a full disk. */
  capacityBytes = DEFAULT_CAPACITY_BYTES;
  /** Called with every operation. */
  observer: ((operation: FileOperation) => void) | undefined;
  #namespace = new Namespace();
  #nodes = new Map<number, Node>([[1, this.#namespace.root]]);
  #lastId = 1;
  readonly #opened = new Set<OpenFile>();

  /** What a path stands for. */
  lookup(path: string): Node | number {
    const place = this.locate(path);
    if (typeof place === 'number') return place;
    return place.node ?? -errno.ENOENT;
  }

  /** Where a path leads, if only to a name that nothing has yet; -ENOENT or -ENOTDIR when it leads nowhere. */
  locate(path: string): Place | number {
    return locate(this.#namespace.root, path);
  }

  /** As open(2): the open file, with O_CREAT a new one if there is none. */
  open(path: string, flags: number, mode = 0o666): OpenFile | number {
    const place = this.locate(path);
    if (typeof place === 'number') return place;
    let { node } = place;
    if (node === undefined) {
      if (!(flags & constants.O_CREAT)) return -errno.ENOENT;
      node = new FileNode(++this.#lastId, mode & ~UMASK);
      this.#change([{ directory: place.parent, name: place.name, node }]);
    } else if (flags & constants.O_CREAT && flags & constants.O_EXCL) {
      return -errno.EEXIST;
    }
    const file = new OpenFile(node, path, flags);
    if (node.kind === 'directory') {
      if (file.mayWrite || flags & (constants.O_CREAT | constants.O_TRUNC)) return -errno.EISDIR;
    } else if (flags & constants.O_DIRECTORY) {
      return -errno.ENOTDIR;
    } else if (flags & constants.O_TRUNC && node.size > 0) {
      // Linux does so on an opening for reading too.
      this.change(node, { kind: 'truncate', size: 0 });
    }
    this.#opened.add(file);
    return file;
  }

  close(file: OpenFile): void {
    this.#opened.delete(file);
  }

  /** As flock(2) without waiting: -EBUSY when another lock is in the way. */
  lock(file: OpenFile, lock: 'shared' | 'exclusive'): number {
    for (const other of this.#opened) {
      if (other !== file && other.node === file.node && other.excludes(lock)) return -errno.EBUSY;
    }
    file.lock = lock;
    return 0;
  }

  /** Writes as much as there is room for: how much that was, or -ENOSPC. `bytes` are the file's from now on. */
  write(file: FileNode, bytes: Uint8Array, position: number): number {
    const length = this.#fitting(file, position, bytes.length);
    if (length === 0 && bytes.length > 0) return -errno.ENOSPC;
    this.change(file, { kind: 'write', position, bytes: bytes.subarray(0, length) });
    return length;
  }

  /** As fallocate(2): takes the space of a range, and has the file reach to its end at least. All of it, or -ENOSPC. */
  allocate(file: FileNode, position: number, length: number): number {
    if (this.#fitting(file, position, length) < length) return -errno.ENOSPC;
    this.change(file, { kind: 'allocate', position, length });
    return 0;
  }

  change(file: FileNode, change: FileChange): void {
    file.change(change);
    this.observer?.({ kind: 'change', file: file.id, change });
  }

  mkdir(path: string, mode = 0o777): number {
    const place = this.locate(path);
    if (typeof place === 'number') return place;
    if (place.node !== undefined) return -errno.EEXIST;
    const node = new DirectoryNode(++this.#lastId, mode & ~UMASK);
    this.#change([{ directory: place.parent, name: place.name, node }]);
    return 0;
  }

  unlink(path: string): number {
    const place = this.locate(path);
    if (typeof place === 'number') return place;
    if (place.node === undefined) return -errno.ENOENT;
    if (place.node.kind === 'directory') return -errno.EISDIR;
    this.#change([{ directory: place.parent, name: place.name, node: undefined }]);
    return 0;
  }

  link(from: string, to: string): number {
    const node = this.lookup(from);
    if (typeof node === 'number') return node;
    const place = this.locate(to);
    if (typeof place === 'number') return place;
    if (place.node !== undefined) return -errno.EEXIST;
    if (node.kind === 'directory') return -errno.EPERM;
    this.#change([{ directory: place.parent, name: place.name, node }]);
    return 0;
  }

  /** As rename(2). */
  rename(from: string, to: string): number {
    const old = this.locate(from);
    if (typeof old === 'number') return old;
    const fresh = this.locate(to);
    if (typeof fresh === 'number') return fresh;
    if (old.path === '/' || fresh.path === '/') return -errno.EBUSY;
    if (old.node === undefined) return -errno.ENOENT;
    if (fresh.path.startsWith(`${old.path}/`)) return -errno.EINVAL;
    if (old.path.startsWith(`${fresh.path}/`)) return -errno.ENOTEMPTY;
    if (fresh.node === old.node) return 0;
    if (fresh.node !== undefined) {
      if (old.node.kind === 'regular' && fresh.node.kind === 'directory') return -errno.EISDIR;
      if (old.node.kind === 'directory' && fresh.node.kind === 'regular') return -errno.ENOTDIR;
      if (fresh.node.kind === 'directory' && fresh.node.cached.size > 0) return -errno.ENOTEMPTY;
    }
    this.#change([
      { directory: old.parent, name: old.name, node: undefined },
      { directory: fresh.parent, name: fresh.name, node: old.node },
    ]);
    return 0;
  }

  /** The moment that a sync which begins now covers. */
  momentOf(node: Node): number {
    return node.kind === 'regular' ? node.moment : this.#namespace.moment;
  }

  /** Brings a file's bytes, or a directory's entries, to the medium, as they were at a moment. */
  sync(node: Node, moment = this.momentOf(node)): void {
    if (node.kind === 'regular') node.sync(moment);
    else this.#namespace.sync(node, moment);
    this.observer?.({ kind: 'sync', node: node.id, moment });
  }

  /** Brings one change of a file to the medium: see {@link FileNode.syncChange}. */
  syncChange(node: FileNode, moment: number): void {
    node.syncChange(moment);
    this.observer?.({ kind: 'sync', node: node.id, moment, isOne: true });
  }

  /** Brings all that has a name to the medium. */
  syncAll(): void {
    for (const node of [this.#namespace.root, ...this.entries().values()]) this.sync(node);
  }

  /** A sync that fails: see {@link FileNode.failSync}. A recording does not know of it. */
  failSync(node: Node, moment: number, survival: Survival, evicts: boolean): void {
    if (node.kind === 'regular') node.failSync(moment, survival, evicts);
    else this.#namespace.failSync(node, moment, survival);
  }

  /** The power is gone: nothing is open any more, and what was not synced is left as `survival` says. */
  losePower(survival: Survival): void {
    this.#opened.clear();
    this.#namespace.losePower(survival);
  }

  /** Every file and directory that has a name, by path. */
  entries(): ReadonlyMap<string, Node> {
    return this.#namespace.entries();
  }

  /** A copy that shares nothing with this one, without what is open. */
  copy(): SimulatedFileSystem {
    const copy = new SimulatedFileSystem();
    copy.restore(this);
    return copy;
  }

  /** Makes this file system equal to another one, with what is not synced there; everything open here is closed. */
  restore(other: SimulatedFileSystem): void {
    this.#opened.clear();
    const nameless = [...other.#opened].map(({ node }) => node);
    const { namespace, nodes } = other.#namespace.copy([...nameless, ...other.#nodes.values()]);
    this.#namespace = namespace;
    this.#nodes = nodes;
    this.#lastId = other.#lastId;
    this.capacityBytes = other.capacityBytes;
  }

  /** Does again what was done to a file system of which this is a copy. */
  redo(operation: FileOperation): void {
    redo(operation, this.#namespace, this.#nodes);
    // What is made here later must not have the number of something that was made there.
    if (operation.kind === 'entries')
      this.#lastId = Math.max(this.#lastId, ...operation.entries.map(({ node }) => node?.id ?? 0));
  }

  #change(changes: EntryChanges): void {
    this.#namespace.change(changes);
    this.observer?.(entriesOperation(changes));
  }

  /** How many bytes from a position on there is room for, of so many. */
  #fitting(file: FileNode, position: number, length: number): number {
    if (file.missingPages(position, length) === 0) return length;
    const nodes = new Set([...this.entries().values(), ...[...this.#opened].map(({ node }) => node)]);
    let room = Math.floor(this.capacityBytes / PAGE_BYTES);
    for (const node of nodes) if (node.kind === 'regular') room -= node.pages;
    let end = position;
    while (end < position + length) {
      const next = Math.min(end - (end % PAGE_BYTES) + PAGE_BYTES, position + length);
      room -= file.missingPages(end, next - end);
      if (room < 0) break;
      end = next;
    }
    return end - position;
  }
}
