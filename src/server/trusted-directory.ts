// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { absolutePath, realPath } from '../posix/exact-text.js';
import { SystemError } from '../posix/system-error.js';

const ROOT = 0;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Who could put something else in the place of a file in a directory, in words for the end of a message; undefined when
 * nobody could but the user and root.
 *
 * Looked at are the directory, those above it, and the links that lead there. Others may write where the sticky bit keeps
 * them from moving what is not theirs (/tmp): they can take a name first there, which is another question.
 *
 * @throws node:fs's Error when it cannot be looked at, SystemError EILSEQ when its path is not UTF-8
 */
export function whoCouldReplace(
  directory: string,
  uid: number = process.geteuid?.() ?? ROOT,
): string | undefined {
  const named = absolutePath(directory);
  for (const path of new Set([...withParents(realPath(named)), ...withParents(named)])) {
    const stats = lstatSync(path);
    const fault = foreignOwner(path, stats, uid) ?? writableByOthers(path, stats);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * A link among the directories above a path, or the path itself, that another user has made, in words; else undefined. There
 * are no links in the path of the current directory, which a relative path begins at.
 */
export function linkOfAnother(path: string, uid: number = process.geteuid?.() ?? ROOT): string | undefined {
  for (const name of withParents(path)) {
    const stats = lstatSync(name, { throwIfNoEntry: false });
    const fault = stats?.isSymbolicLink() ? foreignOwner(name, stats, uid) : undefined;
    if (fault !== undefined) return `the link ${fault}`;
  }
  return undefined;
}

/** @throws Error with `code` EPERM when somebody could replace a socket in the directory, or node:fs's own */
export function requireTrusted(directory: string): void {
  const fault = whoCouldReplace(directory);
  if (fault === undefined) return;
  throw new SystemError('EPERM', `${directory} is no place for a socket that controls or reports: ${fault}`);
}

/**
 * Whether what listens on a Unix socket was put there by the user or root: clients must check this before they connect.
 * A missing one is left for connect to report.
 *
 * @throws Error with `code` EPERM, or node:fs's own
 */
export function requireTrustedSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  requireTrusted(dirname(path));
  const fault = foreignOwner(path, found, process.geteuid?.() ?? ROOT);
  if (fault !== undefined) throw new SystemError('EPERM', fault);
}

function withParents(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...withParents(parent)];
}

function foreignOwner(path: string, { uid: owner }: Stats, uid: number): string | undefined {
  if (owner === uid || owner === ROOT) return undefined;
  return `${path} belongs to another user (uid ${owner})`;
}

function writableByOthers(path: string, stats: Stats): string | undefined {
  const { mode } = stats;
  // What a link may be used for its directory says.
  if (stats.isSymbolicLink() || (mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0) return undefined;
  return `others can write to ${path} (mode ${(mode & 0o7777).toString(8).padStart(4, '0')}; chmod go-w)`;
}
