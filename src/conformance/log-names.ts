// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Priority, priorityName } from '../server/logger.js';

/** A priority as in a `log` entry: `ERR`, `DEBUG`. */
export function logName(priority: Priority): string {
  return priorityName(priority).toUpperCase();
}
