// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync, spawnSync } from 'node:child_process';
import type { Test } from 'tap';

/** Another user of the host, without any privilege. */
export const ATTACKER_UID = 4242;

const isRoot = process.geteuid?.() === 0;
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;

/** Why tests with a second user cannot run here; false when they can. tap shows it with the test that it skips. */
export const noAttacker =
  isRoot && hasSetpriv ? false : 'needs root and setpriv, to have a program run as another user';

/** Runs a program as the other user; its standard output. */
export function asAttacker(program: string, ...args: string[]): string {
  return execFileSync('setpriv', [...attackerArguments, program, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What setpriv is given before a program. */
export const attackerArguments = [
  `--reuid=${ATTACKER_UID}`,
  `--regid=${ATTACKER_UID}`,
  '--clear-groups',
  '--no-new-privs',
];

/** Sets the process's umask until the test has ended. */
export function withUmask(t: Test, umask: number): void {
  const before = process.umask(umask);
  t.teardown(() => process.umask(before));
}
