// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { Random } from '../random.js';
import type { FileCallName } from './call-names.js';
import type { SimulatedFileSystem } from './file-system.js';
import type { OpenFile } from './open-file.js';

/** The first number that a file gets. */
const FIRST_DESCRIPTOR = 3;
const MAX_OPEN_FILES = 1024;

/** What a process needs of its host. */
export interface FileProcessHost {
  readonly system: SimulatedFileSystem;
  readonly random: Random;
  note(what: () => string): void;
  /** The negative result of a call that is to fail. */
  failure(call: FileCallName): number | undefined;
  /** Runs one action between now and the end of a call, and one at its end. */
  during(isSync: boolean, start: () => void, end: () => void): void;
  /** A part of a transfer's bytes, or all. */
  shortened(bytes: Uint8Array): Uint8Array;
  nowSeconds(): number;
}

/** A call on its way: `start` carries it out, at once but for a sync; what it returns ends it, with the call's result. */
export type Start = (failure: number | undefined) => () => number;

/** The files that a process of a simulated host has open, and its calls that have not ended. */
export class FileProcess {
  readonly #host: FileProcessHost;
  readonly #files = new Map<number, OpenFile>();
  /** What was asked for and is not carried out yet, in the order of asking. */
  readonly #waiting = new Set<() => void>();
  #isDead = false;

  constructor(host: FileProcessHost) {
    this.#host = host;
  }

  get host(): FileProcessHost {
    return this.#host;
  }

  /** The open file of a number. */
  file(fd: number): OpenFile | undefined {
    return this.#files.get(fd);
  }

  /** Gives an open file the lowest free number. */
  add(file: OpenFile): number {
    for (let fd = FIRST_DESCRIPTOR; fd < MAX_OPEN_FILES; fd++) {
      if (this.#files.has(fd)) continue;
      this.#files.set(fd, file);
      return fd;
    }
    this.#host.system.close(file);
    return -errno.EMFILE;
  }

  remove(fd: number): number {
    const file = this.#files.get(fd);
    if (file === undefined) return -errno.EBADF;
    this.#files.delete(fd);
    this.#host.system.close(file);
    return 0;
  }

  /** Open files, by number. */
  descriptors(): { readonly fd: number; readonly path: string }[] {
    return [...this.#files].map(([fd, { path }]) => ({ fd, path })).toSorted((a, b) => a.fd - b.fd);
  }

  /** Makes a call: it is carried out at some moment from now on, and ends later. Nothing ends in a process that has died. */
  call(
    call: FileCallName,
    start: Start,
    ended: (result: number, isMadeToFail: boolean) => void,
    isSync = call === 'fsync' || call === 'fdatasync' || call === 'syncDirectory',
  ): void {
    if (this.#isDead) return;
    const chosen = this.#host.failure(call);
    let end: (() => number) | undefined;
    const carryOut = (): void => {
      this.#waiting.delete(carryOut);
      end = start(chosen);
    };
    this.#waiting.add(carryOut);
    this.#host.during(
      isSync,
      () => {
        if (!this.#isDead) carryOut();
      },
      () => {
        if (!this.#isDead && end !== undefined) ended(end(), chosen !== undefined);
      },
    );
  }

  /** The process dies: some of the calls on their way are still carried out, and its files are closed. */
  die(): void {
    for (const carryOut of this.#waiting) if (this.#host.random.chance(0.5)) carryOut();
    for (const fd of this.#files.keys()) this.remove(fd);
    this.#isDead = true;
  }
}
