// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AioDriver, type AioParts, type ImageFiles } from '../../../src/disks/drivers/index.js';
import { nullLogger } from '../../../src/server/logger.js';
import type { Done } from '../../../src/disks/index.js';
import type { HolesDone } from '../../../src/posix/file-holes.js';

/** A file call that waits for the test to answer it. */
export interface FileCall {
  readonly what: string;
  readonly buffer: Uint8Array;
  readonly done: Done;
}

/** File calls, and holes, that the test answers; stat, open, fstat and close answer by themselves. */
export class FileScript {
  readonly calls: FileCall[] = [];
  readonly log: string[] = [];
  size = 1 << 20;
  changedSeconds = 0;
  /** Tells the map that was asked for. */
  onMap: HolesDone = () => {};

  readonly files: ImageFiles = {
    stat: (_path, done) => done(0, this.#kind()),
    open: (_path, _flags, done) => done(7),
    fstat: (_fd, done) => done(0, this.#kind()),
    read: (fd, buffer, position, done) => this.#call(`read ${position}+${buffer.length}`, fd, buffer, done),
    write: (fd, buffer, position, done) => this.#call(`write ${position}+${buffer.length}`, fd, buffer, done),
    fdatasync: (fd, done) => this.#call('fdatasync', fd, new Uint8Array(0), done),
    punchHole: (fd, offset, length, done) =>
      this.#call(`punch ${offset / 512}+${length / 512}`, fd, new Uint8Array(0), done),
    close: (_fd, done) => done(0),
  };

  readonly parts: AioParts = {
    files: this.files,
    lock: (_fd, _shared, done) => done(0),
    size: (kind, done) => done(kind.size / 512),
    readHoles: (_fd, _othersWrite, done) => {
      this.log.push('map');
      this.onMap = done;
    },
    wallSeconds: () => 100,
    logger: nullLogger,
  };

  /** Returns the oldest call, which must be this one. */
  answer(what: string, result: number): void {
    const call = this.calls.shift();
    if (call?.what !== what) throw new Error(`${what} was expected, and ${call?.what ?? 'nothing'} waits`);
    call.done(result);
  }

  #kind() {
    const identity = {
      inode: 1,
      fileSystem: 1,
      mode: 0o600,
      uid: 0,
      gid: 0,
      modifiedSeconds: 0,
      changedSeconds: this.changedSeconds,
    };
    return { kind: 'regular', size: this.size, device: '0:0', ...identity } as const;
  }

  #call(what: string, fd: number, buffer: Uint8Array, done: Done): void {
    if (fd !== 7) throw new Error(`${what} on descriptor ${fd}`);
    this.log.push(what);
    this.calls.push({ what, buffer, done });
  }
}

/** A driver over scripted calls, open for writing. */
export function scriptedDriver(shared = false): { readonly script: FileScript; readonly driver: AioDriver } {
  const script = new FileScript();
  const driver = new AioDriver('/image', script.parts);
  driver.open({ readOnly: false, shared }, () => {});
  return { script, driver };
}
