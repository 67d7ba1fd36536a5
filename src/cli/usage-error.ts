// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The command line is wrong. The message says what, and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Whether an error is about the command line: one of ours, or of node:util's parseArgs. */
export function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
