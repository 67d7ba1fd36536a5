// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import type { Clock } from '../../posix/clock.js';
import { CallFault, type CallFaultOptions } from '../call-faults.js';
import type { EventQueue } from '../event-queue.js';
import { FaultList } from '../fault-list.js';
import type { Random } from '../random.js';
import type { FileCallName } from './call-names.js';
import { PAGE_BYTES } from './content.js';
import { SimulatedFileCalls } from './file-calls.js';
import { FileNode } from './file-node.js';
import { FileProcess, type FileProcessHost } from './file-process.js';
import { SimulatedFileSystem } from './file-system.js';
import { drawnSurvival, type Survival } from './survival.js';
import type { Completions } from '../../server/completions.js';

/** How long file calls take; each time is drawn. */
export interface FileTimes {
  /** Every call but a sync, at most, in seconds; 100 µs unless given. */
  readonly callSeconds: number;
  /** A sync, at most, in seconds; 2 ms unless given. */
  readonly syncSeconds: number;
}

/** How long they take unless set otherwise. */
export const DEFAULT_FILE_TIMES: FileTimes = { callSeconds: 0.0001, syncSeconds: 0.002 };

/** What the files of a host need of the rest of it. */
export interface FilesHost {
  readonly random: Random;
  readonly queue: EventQueue;
  note(what: string | (() => string)): void;
  mayProgress(): void;
  shortened(bytes: Uint8Array): Uint8Array;
  readonly clock: Clock;
}

/** The files of a simulated host, which outlive its processes. */
export class HostFiles {
  /** The file system itself, whose state tests look at and change without a call of the host. */
  readonly system = new SimulatedFileSystem();
  readonly #host: FilesHost;
  readonly #faults = new FaultList<FileCallName>();
  #times = DEFAULT_FILE_TIMES;
  #stalledUntil = 0;
  #process: FileProcess;

  /** Made by its host. */
  constructor(host: FilesHost) {
    this.#host = host;
    this.#process = new FileProcess(this.#processHost);
  }

  /**
   * The file calls of the running process; all share its descriptors.
   *
   * @param tasks completes the calls, as the server's Completions do; without one they complete outside of any callback
   */
  calls(tasks?: Pick<Completions, 'post'>): SimulatedFileCalls {
    return new SimulatedFileCalls(this.#process, tasks);
  }

  /** What the running process has open. */
  descriptors(): { readonly fd: number; readonly path: string }[] {
    return this.#process.descriptors();
  }

  /** Makes file calls of this host fail, those of later processes too. */
  failCalls(fault: CallFault<FileCallName> | CallFaultOptions<FileCallName>): CallFault<FileCallName> {
    const added = fault instanceof CallFault ? fault : new CallFault(fault);
    this.#faults.add(added);
    return added;
  }

  /** How long calls take from now on. */
  shape(times: Partial<FileTimes>): void {
    this.#times = { ...this.#times, ...times };
  }

  /** Stalls every call: none is executed or ends for this many seconds. */
  stall(seconds: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#host.queue.nowMicroseconds + seconds * 1e6);
    this.#host.note(`files stall for ${seconds} s`);
  }

  /**
   * Puts a file there, and the directories above it, all of it on the medium; one that is there is replaced.
   *
   * @param options `sparse`: its whole pages of zeroes are holes; they are data unless given
   * @throws Error when the path is a directory's or leads through a file
   */
  put(path: string, bytes: Uint8Array, options: { readonly sparse?: boolean } = {}): void {
    const { system } = this;
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))
      system.mkdir(path.slice(0, end));
    system.unlink(path);
    const file = system.open(path, constants.O_CREAT | constants.O_WRONLY);
    if (typeof file === 'number' || !(file.node instanceof FileNode))
      throw new Error(`${path} on the simulated host is not the path of a file`);
    system.close(file);
    system.change(file.node, { kind: 'write', position: 0, bytes: Uint8Array.from(bytes) });
    if (options.sparse === true) this.#punchZeroes(file.node, bytes);
    system.syncAll();
  }

  /** The bytes of a file as a reader sees them. @throws Error when there is no such file */
  contents(path: string): Uint8Array {
    const file = this.#file(path);
    const bytes = new Uint8Array(file.size);
    file.peek(bytes);
    return bytes;
  }

  /** Flips bits of one byte on the medium: rot. @throws Error when there is no such file, RangeError no such byte */
  rot(path: string, position: number, bits = 1): void {
    this.#file(path).rot(position, bits);
    this.#host.note(`rot in ${path} at ${position}`);
  }

  /** Makes reads of the sectors of a range fail with EIO until they are written. @throws Error when there is no such file */
  spoil(path: string, position: number, length: number): void {
    this.#file(path).spoil(position, length);
    this.#host.note(`cannot read ${path}, ${length} at ${position}`);
  }

  /** The process dies; the files are as it left them. */
  endProcess(): void {
    this.#process.die();
    this.#process = new FileProcess(this.#processHost);
  }

  /** The power is gone, and with it the process and what was not synced, unless `survival` spares it. */
  losePower(survival: Survival = drawnSurvival(this.#host.random)): void {
    this.endProcess();
    this.system.losePower(survival);
  }

  #punchZeroes(node: FileNode, bytes: Uint8Array): void {
    for (let position = 0; position < bytes.length; position += PAGE_BYTES) {
      const page = bytes.subarray(position, position + PAGE_BYTES);
      if (Buffer.compare(page, new Uint8Array(page.length)) !== 0) continue;
      this.system.change(node, { kind: 'punch', position, length: page.length });
    }
  }

  #file(path: string): FileNode {
    const node = this.system.lookup(path);
    if (node instanceof FileNode) return node;
    throw new Error(`there is no file ${path} on the simulated host`);
  }

  get #processHost(): FileProcessHost {
    const host = this.#host;
    return {
      system: this.system,
      random: host.random,
      note: (what) => host.note(what),
      failure: (call) => this.#faults.failure(call),
      during: (isSync, start, end) => this.#during(isSync, start, end),
      shortened: (bytes) => host.shortened(bytes),
      nowSeconds: () => host.clock.now(),
    };
  }

  #during(isSync: boolean, start: () => void, end: () => void): void {
    const { queue, random } = this.#host;
    const longest = (isSync ? this.#times.syncSeconds : this.#times.callSeconds) * 1e6;
    const whenNotStalled = (delay: number, action: () => void): void => {
      queue.after(delay, () => {
        const wait = this.#stalledUntil - queue.nowMicroseconds;
        if (wait > 0) whenNotStalled(wait, action);
        else action();
      });
    };
    const lasts = random.between(longest / 10, longest);
    const startsAfter = lasts * random.fraction();
    whenNotStalled(startsAfter, () => {
      start();
      whenNotStalled(lasts - startsAfter, () => {
        end();
        this.#host.mayProgress();
      });
    });
  }
}
