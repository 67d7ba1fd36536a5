// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Readable, Writable } from 'node:stream';
import type { Posix } from '../posix/index.js';

/** What a command works with: a process is one. Nothing is looked at that the command does not need. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Its descriptor, where it is one of the process. */
  readonly stdinFd?: number;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** The descriptor of standard output, for a command that writes to it itself and leaves `stdout` alone. */
  readonly stdoutFd?: number;
  /** Its descriptor, where it is one of the process. */
  readonly stderrFd?: number;
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** The sockets and the clock of a command that asks daemons; Node's unless given. */
  readonly posix?: Posix;
  /** Variables; the process's own unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * Ends the process after this many seconds with the command's exit status, if something keeps it alive for this long: a
   * client, say, that does not take its last bytes.
   */
  readonly exitWithin?: (seconds: number) => void;
}

/** The maximum width of output to something that is not a terminal. */
const DEFAULT_COLUMNS = 80;

/** The width of a terminal; 80 columns if it is unknown, which some terminals report as 0. */
export function columnsOf({ columns }: { readonly columns?: number | undefined }): number {
  return columns || DEFAULT_COLUMNS;
}

/** The streams of a command that only writes text; a process is one. */
export interface TextIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}
