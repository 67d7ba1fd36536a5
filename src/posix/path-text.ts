// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A last component that only a directory can have: none after a slash, `.` or `..`. */
const DIRECTORY_NAME = /(?:^|\/)\.{0,2}$/;

/** Whether a path, such as a variable of the environment may have, means the same in every directory. */
export function isAbsolute(path: string | undefined): path is string {
  return path?.startsWith('/') === true;
}

/** The path of a name in a directory. Unlike node:path's join it leaves `..` to the kernel, which follows links first. */
export function pathIn(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/**
 * A path as seen from a directory, as an absolute path, without `.` and empty components. Unlike node:path's resolve it keeps
 * a `..` after a name: the name may be of a link, and the directory above is then another one.
 *
 * @param base an absolute path that has no links
 */
export function pathFrom(base: string, path: string): string {
  const kept = path.startsWith('/') ? [] : componentsOf(base);
  let hasNamed = false;
  for (const component of componentsOf(path)) {
    hasNamed ||= component !== '..';
    if (hasNamed) kept.push(component);
    else kept.pop();
  }
  return `/${kept.join('/')}`;
}

/** Whether a path can be of nothing but a directory, as it ends: `copies/`, `copies/.` or `..`. */
export function namesDirectory(path: string): boolean {
  return DIRECTORY_NAME.test(path);
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}
