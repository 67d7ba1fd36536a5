// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { errnoCode } from '../../../src/posix/errno.js';
import {
  type HostFiles,
  type SimulatedFileCalls,
  type SimulatedHost,
  SimulatedWorld,
  type WorldOptions,
} from '../../../src/testing/index.js';

export const { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, O_DSYNC } = constants;

/** What a call told. */
export interface Told<Value = undefined> {
  readonly result: number;
  readonly value: Value | undefined;
}

/** A host with files, whose calls are awaited while the world runs. */
export class FileWorld {
  readonly world: SimulatedWorld;
  readonly host: SimulatedHost;

  constructor(options: WorldOptions = {}) {
    this.world = new SimulatedWorld({ traceLines: 10_000, ...options });
    this.host = this.world.host('10.0.0.1');
  }

  get files(): HostFiles {
    return this.host.files;
  }

  /** The calls of the running process. */
  get calls(): SimulatedFileCalls {
    return this.files.calls();
  }

  /** Makes a call, and lets the world go on until it has ended. */
  async ask<Value = undefined>(
    call: (calls: SimulatedFileCalls, done: (result: number, value?: Value) => void) => void,
  ): Promise<Told<Value>> {
    const told = new Promise<Told<Value>>((resolve) => {
      call(this.calls, (result, value) => resolve({ result, value }));
    });
    return this.world.complete(told);
  }

  /** The result of a call that must succeed. @throws (rejects with) an Error that names the errno */
  async must(call: (calls: SimulatedFileCalls, done: (result: number) => void) => void): Promise<number> {
    const { result } = await this.ask(call);
    if (result < 0) throw new Error(`the call fails with ${errnoCode(result)}`);
    return result;
  }

  /** The errno's name that a call fails with, or its result. */
  async fails(call: (calls: SimulatedFileCalls, done: (result: number) => void) => void): Promise<string> {
    const { result } = await this.ask(call);
    return result < 0 ? errnoCode(result) : String(result);
  }

  open(path: string, flags = O_RDWR | O_CREAT): Promise<number> {
    return this.must((calls, done) => calls.open(path, flags, done));
  }

  write(fd: number, text: string | Uint8Array, position = 0): Promise<number> {
    return this.must((calls, done) => calls.write(fd, Buffer.from(text), position, done));
  }

  /** The text of a file as a reader sees it, or undefined when there is none. */
  text(path: string): string | undefined {
    if (typeof this.files.system.lookup(path) === 'number') return undefined;
    return Buffer.from(this.files.contents(path)).toString('latin1');
  }

  /** The names of all files and directories. */
  paths(): string[] {
    return [...this.files.system.entries().keys()];
  }
}
