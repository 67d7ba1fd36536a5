// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, NodePosix, type SelectSets } from '../../src/posix/index.js';

/** Sockets that nobody accepts, on which no wait takes any time. */
export class UnansweredPosix extends NodePosix {
  /** How long was to be waited, in seconds. */
  readonly waits: number[] = [];

  override connect(): number {
    return -errno.EINPROGRESS;
  }

  override select(_sets: SelectSets, timeoutSeconds: number) {
    this.waits.push(timeoutSeconds);
    return Promise.resolve({ read: [], write: [], except: [] });
  }
}
