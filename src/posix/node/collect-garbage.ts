// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage at once. An idle process allocates nothing, and so V8 does not collect: large buffers that nobody uses any
 * more would stay until there is work again.
 */
export function collectGarbage(): void {
  // The one way to V8's collector for a process that was started without a flag.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collect();
}
