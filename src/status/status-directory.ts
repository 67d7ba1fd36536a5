// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, pathIn } from '../posix/path-text.js';
import { SystemError } from '../posix/system-error.js';
import { fileIdentity } from '../server/file-identity.js';
import { makeDirectory } from '../server/made-directory.js';

/** Where TMPDIR names no other one. */
const USUAL_TEMPORARY = '/tmp';
const PRIVATE_MODE = 0o700;
const FOREIGN_BITS = 0o077;
const socketName = /^(primary|backup)-([1-9][0-9]{0,9})\.sock$/;

/** Where a status socket is, and whose. */
export interface StatusSocket {
  readonly path: string;
  readonly role: string;
  readonly pid: number;
}

/** The user that this process runs as; not every system has numbers for them. */
function ownUid(): number {
  return process.getuid?.() ?? 0;
}

/** The user's directory of status sockets: in the runtime directory, or else the temporary one. */
export function statusDirectory(
  environment: NodeJS.ProcessEnv = process.env,
  uid: number = ownUid(),
): string {
  const runtime = environment['XDG_RUNTIME_DIR'];
  return isAbsolute(runtime) ? pathIn(runtime, 'tapdisk-ts') : pathIn(temporary(), `tapdisk-ts-${uid}`);
}

/**
 * Where the user's status sockets may be, this environment's directory first: programs that were started in another one,
 * with or without a runtime directory, or a temporary one of their own, have put theirs elsewhere.
 */
export function statusDirectories(
  environment: NodeJS.ProcessEnv = process.env,
  uid: number = ownUid(),
): string[] {
  const directories = [
    statusDirectory(environment, uid),
    `/run/user/${uid}/tapdisk-ts`,
    pathIn(temporary(), `tapdisk-ts-${uid}`),
    pathIn(USUAL_TEMPORARY, `tapdisk-ts-${uid}`),
  ];
  // By whatever name, a directory is listed once. Most are not there.
  const known = new Set<string>();
  return directories.filter((path) => known.size !== known.add(fileIdentity(path) ?? path).size);
}

/** A relative one would be another directory for whoever asks than for the program that is asked. */
function temporary(): string {
  const directory = tmpdir();
  return isAbsolute(directory) ? directory : USUAL_TEMPORARY;
}

/** The status socket's path of this process, where none is given. */
export function statusSocketPath(directory: string, role: string, pid: number): string {
  return pathIn(directory, `${role}-${pid}.sock`);
}

/**
 * Makes the directory if it is missing, for its owner alone.
 *
 * @throws Error with a `code`: node:fs's own, or EPERM when it is not the user's own, so that others could put sockets there
 */
export function prepareStatusDirectory(directory: string, uid: number = ownUid()): void {
  makeDirectory(directory, PRIVATE_MODE);
  requirePrivate(directory, uid);
}

function requirePrivate(directory: string, uid: number): void {
  const found = lstatSync(directory);
  if (found.isDirectory() && found.uid === uid && (found.mode & FOREIGN_BITS) === 0) return;
  throw new SystemError(
    'EPERM',
    `${directory} is not a directory that belongs to this user alone (mode 0700)`,
  );
}

/**
 * The status sockets in a directory, by role and pid; some may be left over from programs that were killed.
 * A missing directory has none.
 *
 * @throws Error with a `code`: node:fs's own, or EPERM when it is not the user's own: what others put there is not asked
 */
export function listStatusSockets(directory: string, uid: number = ownUid()): StatusSocket[] {
  let entries: Dirent[];
  try {
    requirePrivate(directory, uid);
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .map((entry) => (entry.isSocket() ? socketName.exec(entry.name) : null))
    .filter((match) => match !== null)
    .map(([name, role = '', pid]) => ({ path: pathIn(directory, name), role, pid: Number(pid) }))
    .sort((a, b) => b.role.localeCompare(a.role) || a.pid - b.pid);
}
