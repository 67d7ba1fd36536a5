// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * Ends a check: prints each complaint on a line of its own and exits with 1, or, where there is none, says what was
 * found to hold and exits with 0.
 */
export function conclude(check: string, holds: string, complaints: readonly string[]): never {
  for (const complaint of complaints) console.error(`${check}: ${complaint}`);
  if (complaints.length === 0) console.log(`${check}: ${holds}`);
  process.exit(complaints.length === 0 ? 0 : 1);
}
