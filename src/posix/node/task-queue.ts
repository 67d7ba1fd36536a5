// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Runs what is posted on the scheduler, in the order of posting (the server's Completions is one). */
export interface TaskQueue {
  post(task: () => void): void;
}
