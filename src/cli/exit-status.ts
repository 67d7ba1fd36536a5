// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The exit statuses of `tapdisk-ts`; `--help` lists them. */
export const EXIT_OK = 0;
/** The operation failed. */
export const EXIT_FAILED = 1;
/** The command line is wrong. */
export const EXIT_USAGE = 2;
/** `backup`: this host does not have the address, so that the other host is the backup. */
export const EXIT_NOT_OURS = 3;

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** What a shell shows for a program that the signal ended. */
export function exitOfSignal(signal: string): number {
  return 128 + (signalNumbers[signal] ?? 0);
}
