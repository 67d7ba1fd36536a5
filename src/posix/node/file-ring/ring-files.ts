// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { fileRangeFault } from '../../file-range.js';
import type { FileDone } from '../../files.js';
import { NodeFileCalls } from '../files.js';
import type { BatchQueue } from '../task-queue.js';
import type { FileRing } from './file-ring.js';
import { READ, WRITE } from './ring-memory.js';
import { ringHost, type RingHost } from './ring-host.js';

/** A ring is worth its thread after so many turns in which several calls were asked for. */
const TURNS_BEFORE_RING = 16;

/** A read or write as it was asked for. */
interface Call {
  readonly operation: number;
  readonly fd: number;
  readonly buffer: Uint8Array;
  readonly position: number;
  readonly done: FileDone;
}

/**
 * The file calls of one disk: reads and writes that come several at a time go through a {@link FileRing}, which takes about
 * half the processor time of Node's thread pool and no place in it, so that a disk that waits holds up no other. All others
 * are {@link NodeFileCalls}': a call that comes alone, which is sooner back from there; buffers that threads do not share;
 * and all calls where threads are not allowed.
 *
 * A ring comes into being when there is use for it, and goes when there is none for 30 s or the file is closed.
 */
export class RingFiles extends NodeFileCalls {
  readonly #host: RingHost;
  readonly #wake: () => void;
  readonly #warn: (message: string) => void;
  #ring: FileRing | undefined;
  /** Those given up whose calls are not all completed. */
  #ending: FileRing[] = [];
  /** The turn's first call, until there is a second one or the turn ends. */
  #held: Call | undefined;
  /** Calls that came alone and are not back from the pool. */
  #alone = 0;
  #isTurnPosted = false;
  #callsOfTurn = 0;
  #busyTurns = 0;

  /** @param warn gets warnings */
  constructor(tasks: BatchQueue, warn: (message: string) => void, host: RingHost = ringHost) {
    super(tasks);
    this.#host = host;
    this.#warn = warn;
    this.#wake = tasks.addSource((limit) => this.#reap(limit));
  }

  override read(fd: number, buffer: Uint8Array, position: number, done: FileDone): void {
    if (!this.#take(READ, fd, buffer, position, done)) super.read(fd, buffer, position, done);
  }
  override write(fd: number, buffer: Uint8Array, position: number, done: FileDone): void {
    if (!this.#take(WRITE, fd, buffer, position, done)) super.write(fd, buffer, position, done);
  }
  override close(fd: number, done: FileDone): void {
    this.#ring?.giveUp();
    super.close(fd, done);
  }

  /** @returns whether the call is or will be made */
  #take(operation: number, fd: number, buffer: Uint8Array, position: number, done: FileDone): boolean {
    const { shared, fault } = this.#host.buffers;
    if (buffer.buffer !== shared && fault === undefined) return false;
    if (fileRangeFault(position, buffer.length) < 0) return false;
    this.#callsOfTurn++;
    if (!this.#isTurnPosted) {
      this.#isTurnPosted = true;
      queueMicrotask(() => this.#endTurn());
    }
    const ring = this.#ring;
    if (ring === undefined || !ring.isRunning || buffer.buffer !== ring.buffers) return false;
    if (this.#callsOfTurn === 1 && ring.outstanding === 0 && this.#alone === 0) {
      this.#held = { operation, fd, buffer, position, done };
      return true;
    }
    this.#submitHeld(ring);
    return ring.submit(operation, fd, buffer.byteOffset, buffer.length, position, done);
  }

  /** Calls of one turn are published together. */
  #endTurn(): void {
    const calls = this.#callsOfTurn;
    this.#isTurnPosted = false;
    this.#callsOfTurn = 0;
    if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      this.#callAlone(held);
    } else this.#ring?.publish();
    if (calls > 1 && this.#ring === undefined) this.#openRing();
  }

  #submitHeld(ring: FileRing): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    const { operation, fd, buffer, position, done } = held;
    if (!ring.submit(operation, fd, buffer.byteOffset, buffer.length, position, done)) this.#callNode(held);
  }

  #callAlone(call: Call): void {
    this.#alone++;
    const done = (result: number): void => {
      this.#alone--;
      call.done(result);
    };
    this.#callNode({ ...call, done });
  }

  #callNode({ operation, fd, buffer, position, done }: Call): void {
    if (operation === READ) super.read(fd, buffer, position, done);
    else super.write(fd, buffer, position, done);
  }

  #openRing(): void {
    if (++this.#busyTurns < TURNS_BEFORE_RING) return;
    this.#busyTurns = 0;
    const ring = this.#host.open({
      onEnded: this.#wake,
      warn: this.#warn,
      onGivenUp: (left) => this.#givenUp(left),
    });
    this.#ring = ring;
  }

  #givenUp(left: readonly number[]): void {
    const ring = this.#ring;
    if (ring === undefined) return;
    this.#ring = undefined;
    if (ring.outstanding > 0) this.#ending.push(ring);
    for (const slot of left) {
      const { memory } = ring;
      this.#callNode({
        operation: memory.operation(slot),
        fd: memory.fd(slot),
        buffer: Buffer.from(ring.buffers, memory.offset(slot), memory.length(slot)),
        position: memory.position(slot),
        done: (result) => ring.endLeft(slot, result),
      });
    }
  }

  #reap(limit: number): number {
    let count = this.#ring?.reap(limit) ?? 0;
    if (this.#ending.length === 0) return count;
    for (const ring of this.#ending) count += ring.reap(limit - count);
    this.#ending = this.#ending.filter(({ outstanding }) => outstanding > 0);
    return count;
  }
}
