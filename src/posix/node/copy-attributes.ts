// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { runProgram } from './program.js';

const FROM = 3;
const TO = 4;

/**
 * Copies the access control list and the extended attributes of one open file to another, by cp(1) of the GNU coreutils, as
 * Node has no calls for them. The files are handed over open, so that no name of theirs is looked up again.
 *
 * @param from open for reading
 * @param to open for writing
 * @param environment cp's, looked for in its PATH
 * @returns (resolves to) undefined, or in words why they may not have been copied
 */
export function copyAttributes(
  from: number,
  to: number,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const paths = [`/proc/self/fd/${FROM}`, `/proc/self/fd/${TO}`] as const;
    runProgram(
      ['cp', '--attributes-only', '--preserve=xattr', '--', ...paths],
      { stdio: ['ignore', 'ignore', 'ignore', from, to], env: environment },
      (status, how) => resolve(status === 0 ? undefined : how),
    );
  });
}
