// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { DirectoryNode, Node } from './directory-node.js';

/** Where a path leads. The root is in itself, and has no name. */
export interface Place {
  readonly parent: DirectoryNode;
  readonly name: string;
  /** What is there; undefined: nothing yet. */
  readonly node: Node | undefined;
}

/** A path without what says nothing: `/a//b/../c` is `/a/c`. One that does not begin at the root is taken to. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Where a path leads, or -ENOENT or -ENOTDIR when there is no such directory. */
export function locate(root: DirectoryNode, path: string): Place | number {
  if (path === '') return -errno.ENOENT;
  const names = normalPath(path).slice(1).split('/');
  const name = names.pop() ?? '';
  if (name === '') return { parent: root, name, node: root };
  let parent = root;
  for (const part of names) {
    const next = parent.cached.get(part);
    if (next === undefined) return -errno.ENOENT;
    if (next.kind !== 'directory') return -errno.ENOTDIR;
    parent = next;
  }
  return { parent, name, node: parent.cached.get(name) };
}
