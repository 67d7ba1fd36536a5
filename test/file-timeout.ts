// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The files of a process may take so long together, in milliseconds: `test/suite.ts` says it in tap's own variable. */
export const FILE_TIMEOUT_MS = 1000 * Number(process.env['TAP_TIMEOUT'] ?? 240);
