// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';

/** Where a program is that PATH leads to, or one of the other directories; undefined when it is not installed. */
export function programPath(name: string, ...otherDirectories: readonly string[]): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', 'command -v "$0"', name], {
    encoding: 'utf8',
    env: { ...process.env, PATH: [process.env['PATH'], ...otherDirectories].join(':') },
  });
  return stdout.trim() || undefined;
}
