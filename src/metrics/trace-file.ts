// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, fstatSync, write, writeSync } from 'node:fs';
import { LOG_ERR, LOG_WARNING, type Logger } from '../server/logger.js';
import { SystemError } from '../posix/system-error.js';
import { openOwnFile } from '../server/own-file.js';
import { type TraceEvent, traceRemark } from './trace-event.js';

/** A trace file is never larger, in MiB, unless set otherwise. */
export const DEFAULT_TRACE_LIMIT_MIB = 64;
/** As much may wait to be written, in bytes; what comes on top is dropped, and counted. */
export const MAX_WAITING_TRACE_BYTES = 4 << 20;
/** A process that ends at once waits for a write that is under way for so many milliseconds at most. */
const LANDING_MS = 100;
/** As much is worth a write. */
const WRITE_BYTES = 64 << 10;

const HEAD = '[\n';
const TAIL = '\n]\n';
/** As every event begins. What else is in a file is not to be lost. */
const FIRST = `${HEAD}{"name":"`;
const TRACE = {
  what: 'a trace',
  bytes: FIRST.length,
  isSuch: (start: Buffer) => start.toString('latin1') === FIRST,
};
/** Space for the event that says why the trace ends. */
const LAST_EVENT_BYTES = 200;

/** Where a trace goes, and how large it may become. */
export interface TraceFileOptions {
  readonly logger: Logger;
  /** In bytes; the file never grows beyond. */
  readonly limitBytes: number;
  /** In microseconds, as in events. */
  readonly now: () => number;
  /** node:fs's, unless given. */
  readonly write?: WriteCall;
  /** Blocks the thread, as Atomics.wait does; that, unless given. */
  readonly sleep?: (milliseconds: number) => void;
}

/** Writes bytes at a position of an open file, perhaps not all of them. */
export type WriteCall = (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  done: (error: Error | null, count: number) => void,
) => void;

/**
 * A file of trace events as one JSON array, which is complete after every write: each write begins where the array's end
 * was, and writes a new end. So the file can be read at any time, also after this process was killed.
 *
 * Never blocks, and never fails its callers: an error of the file ends the trace and is logged.
 */
export class TraceFile {
  readonly #options: TraceFileOptions;
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Where the array's end is. */
  #position: number;
  #dropped = 0;
  #state: 'open' | 'full' | 'failed' | 'closed' = 'open';
  #writing = false;
  #onWritten: (() => void) | undefined;

  /**
   * @param first the array's first entry
   * @throws node:fs's Error when the file cannot be made, or SystemError when it cannot be written, is not the user's alone,
   *   or no trace: `openOwnFile`
   */
  constructor(path: string, first: TraceEvent, options: TraceFileOptions) {
    this.#options = options;
    this.#fd = openOwnFile(path, { replaces: TRACE });
    const text = HEAD + JSON.stringify(first);
    this.#position = Buffer.byteLength(text);
    try {
      writeSync(this.#fd, text + TAIL);
    } catch (cause) {
      closeSync(this.#fd);
      const { code = 'EIO', message } = cause as NodeJS.ErrnoException;
      throw new SystemError(code, `cannot write ${path}: ${message}`, { cause });
    }
  }

  add(event: TraceEvent): void {
    if (this.#state !== 'open') return;
    if (this.#waitingBytes >= MAX_WAITING_TRACE_BYTES) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      const args = { count: this.#dropped };
      this.#dropped = 0;
      this.#append(traceRemark('events dropped: the file is slow', this.#options.now(), args));
    }
    this.#append(event);
    if (this.#waitingBytes >= WRITE_BYTES) this.flush();
  }

  /** Begins to write what waits. */
  flush(): void {
    if (this.#writing || this.#waiting.length === 0) return;
    const { bytes, position } = this.#takeWaiting();
    this.#writing = true;
    this.#write(bytes, position);
  }

  /** Writes what waits, and closes the file. Idempotent. */
  async close(): Promise<void> {
    for (this.flush(); this.#writing; this.flush()) {
      await new Promise<void>((resolve) => {
        this.#onWritten = resolve;
      });
    }
    this.#close();
  }

  /**
   * As {@link close}, for a process that ends at once. It waits for what is just being written, up to `LANDING_MS`;
   * if that has not arrived then, it is the last.
   */
  closeNow(): void {
    if (this.#state === 'closed') return;
    const isWhole = !this.#writing || this.#hasLanded();
    if (isWhole && this.#waiting.length > 0) {
      const { bytes, position } = this.#takeWaiting();
      writeSync(this.#fd, bytes, 0, bytes.length, position);
    }
    this.#close();
  }

  /** Whether the write under way, which another thread makes, is in the file, or comes to be in time. */
  #hasLanded(): boolean {
    const { sleep = sleepHere } = this.#options;
    for (let waited = 0; fstatSync(this.#fd).size < this.#position + TAIL.length; waited++) {
      if (waited === LANDING_MS) return false;
      sleep(1);
    }
    return true;
  }

  /** What waits, with the array's end after it, and where it belongs in the file. */
  #takeWaiting(): { bytes: Buffer; position: number } {
    const taken = { bytes: Buffer.from(this.#waiting.join('') + TAIL), position: this.#position };
    this.#position += this.#waitingBytes;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return taken;
  }

  #append(event: TraceEvent): void {
    const { limitBytes, logger, now } = this.#options;
    let text = `,\n${JSON.stringify(event)}`;
    let bytes = Buffer.byteLength(text);
    if (this.#position + this.#waitingBytes + bytes + LAST_EVENT_BYTES > limitBytes) {
      logger.log(LOG_WARNING, `the trace has reached its limit of ${limitBytes} bytes and ends`);
      const last = traceRemark('the trace has reached its limit', now());
      text = `,\n${JSON.stringify(last)}`;
      bytes = Buffer.byteLength(text);
      this.#state = 'full';
    }
    this.#waiting.push(text);
    this.#waitingBytes += bytes;
  }

  #write(bytes: Buffer, position: number): void {
    const call: WriteCall = this.#options.write ?? write;
    call(this.#fd, bytes, 0, bytes.length, position, (error, count) => {
      if (error) this.#fail(error);
      else if (count < bytes.length) return this.#write(bytes.subarray(count), position + count);
      this.#writing = false;
      if (this.#waitingBytes >= WRITE_BYTES) this.flush();
      this.#onWritten?.();
      return undefined;
    });
  }

  #fail(error: Error): void {
    this.#state = 'failed';
    this.#waiting = [];
    this.#options.logger.log(LOG_ERR, `the trace ends: ${error.message}`);
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // A write under way has its own hold of the file in the kernel.
    closeSync(this.#fd);
  }
}

function sleepHere(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, milliseconds);
}
