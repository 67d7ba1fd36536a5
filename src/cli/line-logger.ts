// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage, shownText } from '../server/shown-text.js';
import { fstatSync } from 'node:fs';
import { isoTime, wallClock } from '../posix/clock.js';
import type { CommandIo } from './command-io.js';
import { type Logger, type Priority, priorityName } from '../server/logger.js';

export const LOG_FORMATS = ['text', 'json'] as const;

export interface LineLoggerOptions {
  /** Lines that are less grave are dropped. */
  readonly level: Priority;
  readonly format: (typeof LOG_FORMATS)[number];
  /** Begin lines of text with the time; JSON has it always. */
  readonly times: boolean;
  readonly write: (line: string) => void;
  readonly clock?: typeof wallClock;
}

/** Writes a line for each message: `2026-11-25T23:30:12.345Z info: …`, or an object with time, level and message. */
export function lineLogger({ level, format, times, write, clock = wallClock }: LineLoggerOptions): Logger {
  return {
    log(priority, message) {
      if (priority > level) return;
      const time = isoTime(clock.now());
      const text = message.trimEnd();
      const name = priorityName(priority);
      if (format === 'json') write(`${shownText(JSON.stringify({ time, level: name, message: text }))}\n`);
      else write(`${times ? `${time} ` : ''}${name}: ${shownMessage(text)}\n`);
    },
  };
}

/** Whether lines on standard error need times: when it is the process's, and its reader is not systemd's journal. */
export function needsTimes({ stderrFd, environment = process.env }: CommandIo): boolean {
  return stderrFd !== undefined && !isJournal(stderrFd, environment['JOURNAL_STREAM']);
}

/** Systemd's journal adds the time to each line; it names the device and inode of its socket in JOURNAL_STREAM. */
function isJournal(fd: number, stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${dev}:${ino}`;
}
