// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_DIALECT, DIALECTS } from '../../src/scheduler/dialect.js';

/** The dialect that the daemons of this run have: TEST_DIALECT in the environment chooses it. */
export const dialect = process.env['TEST_DIALECT'] ?? DEFAULT_DIALECT;
if (!DIALECTS.some((known) => known === dialect))
  throw new Error(`TEST_DIALECT is ${dialect}: expected one of ${DIALECTS.join(', ')}`);

/** What a daemon's command line has for it. */
export function dialectArguments(): string[] {
  return ['--dialect', dialect];
}
