// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { replication } from './replication.js';
import { protecting } from './protecting.js';
import type { Stage } from './stage.js';

/** What is shown, in this order. An act throws when something is not as it must be. */
export const acts: readonly ((stage: Stage) => Promise<void>)[] = [
  (stage) => replication(stage),
  (stage) => protecting(stage),
];
