// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';

/** Descriptors that a process may have while it is limited: more than the tests of a process have open. */
const LIMIT = 1024;

/** Limits the open files of a process from outside (prlimit of util-linux): those that it has stay open. */
export function limitDescriptors(pid: number, limit: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
}

/** The limit with which a process can open `free` more files: the lowest free numbers are taken first. */
export function limitForMore(pid: number, free: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  for (let limit = 0, found = 0; ; limit++) {
    if (open.has(limit)) continue;
    if (found === free) return limit;
    found += 1;
  }
}

/** Makes a call while this process cannot open another file. */
export function withoutDescriptors<T>(call: () => T): T {
  const usual = execFileSync('prlimit', [
    '--pid',
    String(process.pid),
    '--nofile',
    '--output=SOFT',
    '--noheadings',
  ])
    .toString()
    .trim();
  limitDescriptors(process.pid, LIMIT);
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
    return call();
  } finally {
    for (const fd of taken) closeSync(fd);
    limitDescriptors(process.pid, Number(usual));
  }
}
