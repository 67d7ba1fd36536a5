// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { dirname, sep } from 'node:path';
import { pathFrom } from '../../../posix/path-text.js';
import { areZero } from './bytes.js';
import type { Header } from './header.js';
import { identityOf, type ImageCalls, ImageFile, statusOf } from './image-file.js';
import { isUsable, locatorPaths } from './locator.js';
import { type Steps, wait } from './steps.js';
import { FileError, VhdError } from './vhd-error.js';

/** How parents are looked for. */
export interface ParentRules {
  /** Parents must lie below one of these directories, with all links resolved; undefined allows any place (V41). */
  readonly directories?: readonly string[] | undefined;
}

/** A parent as a child's locators name it. */
export interface ParentPath {
  readonly path: string;
  readonly identity: string;
}

/** A file's path with all links resolved. @throws FileError */
export function* canonicalPath({ files }: ImageCalls, path: string): Steps<string> {
  const [code, canonical] = yield* wait<[number, string | undefined]>((done) =>
    files.realpath(path, (...results) => done([results[0], results[1]])),
  );
  if (canonical === undefined) throw new FileError(path, 'resolve', -code);
  return canonical;
}

/**
 * Finds a child's parent: the first file that one of its locators leads to, in the order of the table (V35).
 *
 * @throws VhdError `parent-missing`, `parent-refused`
 */
export function* findParent(
  calls: ImageCalls,
  child: ImageFile,
  header: Header,
  rules: ParentRules,
): Steps<ParentPath> {
  const directory = dirname(yield* canonicalPath(calls, child.path));
  const tried: string[] = [];
  for (const locator of header.locators) {
    if (!isUsable(locator)) continue;
    const text = yield* child.read(locator.offset, locator.dataLength);
    for (const name of locatorPaths(locator.code, text)) {
      // An absolute path of another machine may stand for one below the child's directory.
      const places = name.startsWith('/') ? [name, directory + name] : [pathFrom(directory, name)];
      for (const path of places) {
        const found = yield* existing(calls, path);
        if (found) return yield* admitted(calls, child, found, rules);
        if (!tried.includes(path)) tried.push(path);
      }
    }
  }
  const problem =
    tried.length === 0
      ? 'no locator has a path'
      : `none of ${tried.map((path) => `'${path}'`).join(', ')} can be read`;
  throw new VhdError({
    kind: 'parent-missing',
    file: child.path,
    field: 'parent locators',
    problem: `${problem} (the parent's name is '${header.parentName}')`,
    remedy: 'put the parent where the child expects it',
  });
}

/** A path that leads to something; undefined when it does not, or may not be looked at. */
function* existing(
  calls: ImageCalls,
  path: string,
): Steps<{ path: string; kind: string; identity: string } | undefined> {
  try {
    const status = yield* statusOf(calls.files, path);
    return { path, kind: status.kind, identity: identityOf(status) };
  } catch (error) {
    // Whatever keeps it from being looked at, the next locator may lead to one that can be.
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

function* admitted(
  calls: ImageCalls,
  child: ImageFile,
  { path, kind, identity }: { path: string; kind: string; identity: string },
  { directories }: ParentRules,
): Steps<ParentPath> {
  const refuse = (problem: string, remedy: string): VhdError =>
    new VhdError({ kind: 'parent-refused', file: child.path, field: 'parent locators', problem, remedy });
  if (kind !== 'regular' && kind !== 'block') {
    throw refuse(`'${path}' is neither a regular file nor a block device`, 'put the parent there');
  }
  if (!directories) return { path, identity };
  const canonical = yield* canonicalPath(calls, path);
  for (const directory of directories) {
    const allowed = yield* canonicalPath(calls, directory);
    if (canonical.startsWith(allowed.endsWith(sep) ? allowed : allowed + sep))
      return { path: canonical, identity };
  }
  const allowed = directories.map((directory) => `'${directory}'`).join(', ');
  throw refuse(`'${canonical}' is not below ${allowed}`, 'move the parent there, or allow its directory');
}

/** A parent uuid of zeroes stands for a raw file (V37). */
export function hasRawParent(header: Header): boolean {
  return areZero(header.parentUuid);
}

/** Opens a file for reading, without a lock (V40). */
export function openToRead(calls: ImageCalls, path: string): Steps<ImageFile> {
  return ImageFile.open(calls, path, constants.O_RDONLY);
}
