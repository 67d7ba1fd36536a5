// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../../posix/errno.js';
import { fileRangeFault } from '../../posix/file-range.js';
import type { FileRange, HolesDone } from '../../posix/file-holes.js';
import type { FileCallName } from './call-names.js';
import type { FileCalls, FileDone, FileStatus, NamesDone, PathDone, StatusDone } from '../../posix/files.js';
import type { Node } from './directory-node.js';
import { FileNode, SECTOR_BYTES } from './file-node.js';
import type { FileProcess, Start } from './file-process.js';
import type { OpenFile } from './open-file.js';
import { drawnSurvival } from './survival.js';
import type { Completions } from '../../server/completions.js';

/** A result, and what else a call returns. */
type Outcome<Value> = number | { readonly value: Value };

/**
 * The file calls of a process of a simulated host. They take virtual time, in which others pass them, and leave a line each
 * in the world's trace. Once the process has died none is carried out, and none completes.
 */
export class SimulatedFileCalls implements FileCalls {
  readonly #process: FileProcess;
  readonly #tasks: Pick<Completions, 'post'> | undefined;

  /** Made by its host. @param tasks completes the calls; without one they complete when the world says */
  constructor(process: FileProcess, tasks?: Pick<Completions, 'post'>) {
    this.#process = process;
    this.#tasks = tasks;
  }

  stat(path: string, done: StatusDone): void {
    this.#ask('stat', path, () => this.#statusAt(path), done);
  }
  /** There are no symbolic links: the same as {@link stat}. */
  lstat(path: string, done: StatusDone): void {
    this.#ask('lstat', path, () => this.#statusAt(path), done);
  }
  open(path: string, flags: number, done: FileDone, mode?: number): void {
    this.#do('open', `${path}, 0o${flags.toString(8)}`, done, () => {
      const file = this.#system.open(path, flags, mode);
      return typeof file === 'number' ? file : this.#process.add(file);
    });
  }
  fstat(fd: number, done: StatusDone): void {
    this.#ask('fstat', fd, () => this.#onFile(fd, ({ node }) => ({ value: statusOf(node) })), done);
  }
  read(fd: number, buffer: Uint8Array, position: number, done: FileDone): void {
    this.#do('read', rangeText(fd, buffer.length, position), done, () =>
      this.#onFile(fd, (file) => {
        if (!file.mayRead) return -errno.EBADF;
        if (!(file.node instanceof FileNode)) return -errno.EISDIR;
        const fault = fileRangeFault(position, buffer.length);
        if (fault < 0) return fault;
        return file.node.read(this.#process.host.shortened(buffer), position) ?? -errno.EIO;
      }),
    );
  }
  write(fd: number, buffer: Uint8Array, position: number, done: FileDone): void {
    const write = (bytes: Uint8Array): number =>
      this.#onBytes(fd, position, bytes.length, (node) =>
        this.#system.write(node, Uint8Array.from(bytes), position),
      );
    const text = rangeText(fd, buffer.length, position);
    const start: Start = (failure) => {
      const { host } = this.#process;
      // Part of what could not be written is, and how much is not reported.
      if (failure !== undefined) {
        const { random } = host;
        const part = buffer.subarray(0, random.integer(0, buffer.length));
        if (random.chance(0.3)) write(wholeSectors(part, buffer, position));
        return () => failure;
      }
      const result = write(wholeSectors(host.shortened(buffer), buffer, position));
      const file = this.#process.file(fd);
      if (result <= 0 || !file?.syncsWrites || !(file.node instanceof FileNode)) return () => result;
      const { node } = file;
      const { moment } = node;
      // It is a write and a sync, which can fail like any other.
      const syncFailure = host.failure('fdatasync');
      return () => {
        if (syncFailure === undefined) this.#system.syncChange(node, moment);
        else this.#failSync(node, moment);
        return syncFailure ?? result;
      };
    };
    this.#call('write', text, done, start, this.#process.file(fd)?.syncsWrites);
  }
  fdatasync(fd: number, done: FileDone): void {
    this.#sync('fdatasync', String(fd), done, () => this.#process.file(fd)?.node ?? -errno.EBADF);
  }
  /** The same as {@link fdatasync}: the name of a new file is not synced by it. */
  fsync(fd: number, done: FileDone): void {
    this.#sync('fsync', String(fd), done, () => this.#process.file(fd)?.node ?? -errno.EBADF);
  }
  ftruncate(fd: number, size: number, done: FileDone): void {
    this.#do('ftruncate', `${fd}, ${size}`, done, () =>
      this.#onBytes(
        fd,
        size,
        0,
        (node) => {
          this.#system.change(node, { kind: 'truncate', size });
          return 0;
        },
        -errno.EINVAL,
      ),
    );
  }
  /** The permissions are on the medium at once. */
  fchmod(fd: number, mode: number, done: FileDone): void {
    this.#do('fchmod', `${fd}, 0o${mode.toString(8)}`, done, () =>
      this.#onFile(fd, ({ node }) => {
        node.mode = mode & 0o7777;
        return 0;
      }),
    );
  }
  /** There are no other users than the one that everything belongs to. */
  fchown(fd: number, uid: number, gid: number, done: FileDone): void {
    this.#do('fchown', `${fd}, ${uid}, ${gid}`, done, () =>
      this.#onFile(fd, () => (uid === 0 && gid === 0 ? 0 : -errno.EPERM)),
    );
  }
  close(fd: number, done: FileDone): void {
    this.#call('close', String(fd), done, (failure) => {
      // One that fails has closed all the same.
      const result = this.#process.remove(fd);
      return () => failure ?? result;
    });
  }
  rename(from: string, to: string, done: FileDone): void {
    this.#do('rename', `${from}, ${to}`, done, () => this.#system.rename(from, to));
  }
  link(from: string, to: string, done: FileDone): void {
    this.#do('link', `${from}, ${to}`, done, () => this.#system.link(from, to));
  }
  unlink(path: string, done: FileDone): void {
    this.#do('unlink', path, done, () => this.#system.unlink(path));
  }
  syncDirectory(path: string, done: FileDone): void {
    this.#sync('syncDirectory', path, done, () => {
      const node = this.#system.lookup(path);
      return typeof node === 'number' || node.kind === 'directory' ? node : -errno.ENOTDIR;
    });
  }
  allocate(fd: number, offset: number, length: number, done: FileDone): void {
    this.#do('allocate', rangeText(fd, length, offset), done, () =>
      this.#onBytes(fd, offset, length, (node) => this.#system.allocate(node, offset, length)),
    );
  }
  punchHole(fd: number, offset: number, length: number, done: FileDone): void {
    this.#do('punchHole', rangeText(fd, length, offset), done, () =>
      this.#onBytes(fd, offset, length, (node) => {
        this.#system.change(node, { kind: 'punch', position: offset, length });
        return 0;
      }),
    );
  }
  /** Where a file that is open for reading has holes, as `holeReader` reads it: in order, the last one without an end. */
  holes(fd: number, done: HolesDone): void {
    const act = (): Outcome<FileRange[]> =>
      this.#onFile(fd, ({ node, mayRead }) => {
        if (!mayRead) return -errno.EBADF;
        return node instanceof FileNode ? { value: node.holes() } : -errno.EOPNOTSUPP;
      });
    this.#ask('holes', fd, act, (result, holes) => done(holes ?? errnoCode(result)));
  }
  readdir(path: string, done: NamesDone): void {
    this.#ask(
      'readdir',
      path,
      () => {
        const node = this.#system.lookup(path);
        if (typeof node === 'number') return node;
        return node.kind === 'directory' ? { value: [...node.cached.keys()].toSorted() } : -errno.ENOTDIR;
      },
      done,
    );
  }
  mkdir(path: string, mode: number, done: FileDone): void {
    this.#do('mkdir', path, done, () => this.#system.mkdir(path, mode));
  }
  realpath(path: string, done: PathDone): void {
    this.#ask(
      'realpath',
      path,
      () => {
        const place = this.#system.locate(path);
        if (typeof place === 'number') return place;
        return place.node === undefined ? -errno.ENOENT : { value: place.path };
      },
      done,
    );
  }
  /** Locks an open file as flock(2) does, without waiting: -EBUSY when another opening of it has it. */
  flock(fd: number, shared: boolean, done: FileDone): void {
    this.#do('flock', `${fd}, ${shared ? 'shared' : 'exclusive'}`, done, () =>
      this.#onFile(fd, (file) => this.#system.lock(file, shared ? 'shared' : 'exclusive')),
    );
  }

  get #system() {
    return this.#process.host.system;
  }

  #statusAt(path: string): Outcome<FileStatus> {
    const node = this.#system.lookup(path);
    return typeof node === 'number' ? node : { value: statusOf(node) };
  }

  #onFile<Result>(fd: number, act: (file: OpenFile) => Result): Result | number {
    const file = this.#process.file(fd);
    return file === undefined ? -errno.EBADF : act(file);
  }

  /** Changes a range of a file that is open for writing. */
  #onBytes(
    fd: number,
    position: number,
    length: number,
    act: (node: FileNode, file: OpenFile) => number,
    otherwise = -errno.EBADF,
  ): number {
    return this.#onFile(fd, (file) => {
      if (!file.mayWrite || !(file.node instanceof FileNode)) return otherwise;
      const fault = fileRangeFault(position, length);
      if (fault < 0) return fault;
      file.node.modifiedSeconds = this.#process.host.nowSeconds();
      return act(file.node, file);
    });
  }

  #sync(call: FileCallName, text: string, done: FileDone, find: () => Node | number): void {
    this.#call(call, text, done, (failure) => {
      const node = find();
      if (typeof node === 'number') return () => failure ?? node;
      const moment = this.#system.momentOf(node);
      return () => {
        if (failure === undefined) {
          this.#system.sync(node, moment);
          return 0;
        }
        this.#failSync(node, moment);
        return failure;
      };
    });
  }

  #failSync(node: Node, moment: number): void {
    const { random } = this.#process.host;
    this.#system.failSync(node, moment, drawnSurvival(random), random.chance(0.5));
  }

  /** A call that is carried out at once, unless it is made to fail. */
  #do(call: FileCallName, text: string, done: FileDone, act: () => number): void {
    this.#call(call, text, done, (failure) => {
      const result = failure ?? act();
      return () => result;
    });
  }

  #ask<Value>(
    call: FileCallName,
    about: string | number,
    act: () => Outcome<Value>,
    done: (result: number, value?: Value) => void,
  ): void {
    let value: Value | undefined;
    this.#do(
      call,
      String(about),
      (result) => (result < 0 ? done(result) : done(result, value)),
      () => {
        const outcome = act();
        if (typeof outcome === 'number') return outcome;
        value = outcome.value;
        return 0;
      },
    );
  }

  /** @param isSync whether it takes as long as a sync; by its name unless given */
  #call(call: FileCallName, text: string, done: FileDone, start: Start, isSync?: boolean): void {
    const { host } = this.#process;
    const ended = (result: number, isMadeToFail: boolean): void => {
      host.note(() => {
        const answer = result < 0 ? `-${errnoCode(result)}` : String(result);
        return `${call}(${text}) = ${answer}${isMadeToFail ? ' (made to fail)' : ''}`;
      });
      if (this.#tasks) this.#tasks.post(() => done(result));
      else done(result);
    };
    this.#process.call(call, start, ended, isSync);
  }
}

/** What a short write takes: it ends where a sector does, as Linux's end where a page does. */
function wholeSectors(part: Uint8Array, whole: Uint8Array, position: number): Uint8Array {
  const length = part.length - ((position + part.length) % SECTOR_BYTES);
  return length > 0 && part.length < whole.length ? part.subarray(0, length) : whole;
}

function rangeText(fd: number, length: number, position: number): string {
  return `${fd}, ${length} at ${position}`;
}

function statusOf(node: Node): FileStatus {
  return {
    kind: node.kind,
    size: node.size,
    device: '0:0',
    inode: node.id,
    fileSystem: 1,
    mode: node.mode,
    uid: 0,
    gid: 0,
    modifiedSeconds: node.modifiedSeconds,
    changedSeconds: node.modifiedSeconds,
  };
}
