// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import type { Random } from '../../src/testing/random.js';

/** Something that takes what others say. */
export interface FuzzTarget {
  /** How many talk at the same time, if it is not the usual number. */
  readonly atOnce?: number;
  /** Says one thing, drawn from a grammar and then changed. */
  readonly say: (random: Random) => Promise<void>;
  /** Throws when a client in order is not served any more. */
  readonly check: () => Promise<void>;
}

/** How each target is started, by its name. */
export type FuzzTargets = Readonly<Record<string, (t: Test) => Promise<FuzzTarget>>>;
