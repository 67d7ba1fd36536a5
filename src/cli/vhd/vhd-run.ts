// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Writable } from 'node:stream';
import { fileLocker } from '../../disks/drivers/image-lock.js';
import { imageSizer } from '../../disks/drivers/image-size.js';
import type { DiskCalls } from '../../disks/drivers/vhd/disk.js';
import { promiseOf, type Steps } from '../../disks/drivers/vhd/steps.js';
import {
  FileError,
  VHD_ERROR_KINDS,
  VhdError,
  type VhdErrorKind,
} from '../../disks/drivers/vhd/vhd-error.js';
import type { ReadHoles } from '../../posix/file-holes.js';
import { holeReader } from '../../posix/node/file-map.js';
import { NodeFileCalls } from '../../posix/node/files.js';
import { monotonicClock, wallClock } from '../../posix/clock.js';
import { errnoCode } from '../../posix/errno.js';
import type { CommandIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { LOG_WARNING } from '../../server/logger.js';
import { shownText } from '../../server/shown-text.js';
import { Progress } from './progress.js';
import { FIRST_KIND_STATUS } from './vhd-tables.js';

/** The user stopped it before the end. */
export const EXIT_STOPPED = 3;

export function statusOfKind(kind: VhdErrorKind): number {
  return FIRST_KIND_STATUS + VHD_ERROR_KINDS.indexOf(kind);
}

/** What a command works with. */
export interface VhdContext {
  readonly calls: DiskCalls;
  readonly readHoles: ReadHoles;
  /** Prints a line on standard output. */
  readonly print: (line: string) => void;
  readonly progress: Progress;
  /** Whether the user asked to stop. */
  readonly isStopped: () => boolean;
  readonly run: <T>(steps: Steps<T>) => Promise<T>;
}

/** Makes a command of an action, which returns the exit status or undefined for success. What is wrong with an image goes to standard error, or, for JSON, to standard output. */
export function vhdRun<Given extends { readonly json: boolean }>(
  name: string,
  action: (values: Given, context: VhdContext) => Promise<number | undefined>,
): (values: Given, io: CommandIo) => Promise<number> {
  return async (values, io) => {
    // What is written follows the line of the progress, and does not continue it.
    const progress = new Progress(io.stderr, monotonicClock);
    const write = (out: Writable, line: string): void => {
      progress.end();
      out.write(`${shownText(line)}\n`);
    };
    const complain = (message: string): void => write(io.stderr, `tapdisk-ts vhd ${name}: ${message}`);
    const print = (line: string): void => write(io.stdout, line);
    const atOnce = { post: (task: () => void) => task() };
    // A request that fails ends the command, and is reported then: only what images warn of is left.
    const warnings = {
      log: (priority: number, line: string) => {
        if (priority === LOG_WARNING) complain(line);
      },
    };
    const calls = {
      files: new NodeFileCalls(atOnce),
      size: imageSizer(atOnce),
      lock: fileLocker(atOnce),
      logger: warnings,
    };
    let stopped = false;
    const stop = (): void => void (stopped = true);
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    try {
      const readHoles = holeReader(atOnce);
      const context = { calls, readHoles, print, progress, isStopped: () => stopped, run: promiseOf };
      return (await action(values, context)) ?? EXIT_OK;
    } catch (error) {
      if (!(error instanceof VhdError || error instanceof FileError)) throw error;
      if (values.json) print(JSON.stringify({ error: errorObject(error) }));
      else complain(error.message);
      return error instanceof VhdError ? statusOfKind(error.kind) : EXIT_FAILED;
    } finally {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    }
  };
}

function errorObject(error: VhdError | FileError): Readonly<Record<string, string>> {
  if (error instanceof FileError) {
    return { kind: 'file', file: error.file, errno: errnoCode(error.number), message: error.message };
  }
  const { kind, file, field, problem, remedy, message } = error;
  return { kind, file, field, problem, remedy, message };
}

/** Of Unix time, for time stamps in images. */
export function nowSeconds(): number {
  return wallClock.now();
}
