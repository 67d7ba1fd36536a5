// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Runs what is posted on the scheduler, in the order of posting (the server's Completions is one). */
export interface TaskQueue {
  post(task: () => void): void;
}

/** A task queue that also completes in batches what ends in batches. */
export interface BatchQueue extends TaskQueue {
  /**
   * @param reap completes up to `limit` things that have ended, and returns how many; it is called on the scheduler after
   *   a wake, and again in the next turn if it returned its limit
   * @returns wake, to be called when something has ended
   */
  addSource(reap: (limit: number) => number): () => void;
}
