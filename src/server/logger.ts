// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage } from './shown-text.js';

/** syslog's priorities (RFC 5424 section 6.2.1): smaller is graver. */
export const LOG_EMERG = 0;
export const LOG_ALERT = 1;
export const LOG_CRIT = 2;
export const LOG_ERR = 3;
export const LOG_WARNING = 4;
export const LOG_NOTICE = 5;
export const LOG_INFO = 6;
export const LOG_DEBUG = 7;

/** A log line's priority: 0, emergency, to 7, debug, as syslog has them. */
export type Priority = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

const priorityNames = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

/** A priority's name as syslog.conf writes it. */
export function priorityName(priority: Priority): (typeof priorityNames)[number] {
  return priorityNames[priority];
}

/** Where log lines go (C: syslog). A line may or may not end with a newline. */
export interface Logger {
  log(priority: Priority, message: string): void;
}

/** Writes lines of at least the given gravity to standard error, each with its priority's name. */
export function stderrLogger(leastGrave: Priority = LOG_INFO, write = writeToStderr): Logger {
  return {
    log(priority, message) {
      if (priority <= leastGrave) write(`${priorityName(priority)}: ${shownMessage(message.trimEnd())}\n`);
    },
  };
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}

/** Drops every line. */
export const nullLogger: Logger = {
  log() {},
};
