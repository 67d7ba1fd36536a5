// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import type { Node } from './directory-node.js';

const ACCESS_MODE = constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR;

/** A file that a process has open (an open file description), and its lock. */
export class OpenFile {
  /** What flock(2) has given it. */
  lock: 'none' | 'shared' | 'exclusive' = 'none';

  readonly node: Node;
  readonly path: string;
  readonly #flags: number;

  constructor(node: Node, path: string, flags: number) {
    this.node = node;
    this.path = path;
    this.#flags = flags;
  }

  get mayRead(): boolean {
    return (this.#flags & ACCESS_MODE) !== constants.O_WRONLY;
  }

  get mayWrite(): boolean {
    return (this.#flags & ACCESS_MODE) !== constants.O_RDONLY;
  }

  /** Whether each write is to be synced before it ends. */
  get syncsWrites(): boolean {
    return (this.#flags & constants.O_DSYNC) !== 0;
  }

  excludes(lock: 'shared' | 'exclusive'): boolean {
    return this.lock === 'exclusive' || (this.lock === 'shared' && lock === 'exclusive');
  }
}
