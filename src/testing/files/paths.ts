// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { DirectoryNode, Node } from './directory-node.js';

/** Where a path leads. The root is in itself, and has no name. */
export interface Place {
  /** Without links, dots and doubled slashes. */
  readonly path: string;
  readonly parent: DirectoryNode;
  readonly name: string;
  /** What is there; undefined: nothing yet. */
  readonly node: Node | undefined;
}

/**
 * Where a path leads, or -ENOENT or -ENOTDIR when there is no such directory. A path that does not begin at the root is
 * taken to, and a slash at its end says nothing.
 */
export function locate(root: DirectoryNode, path: string): Place | number {
  if (path === '') return -errno.ENOENT;
  const steps: { readonly name: string; readonly node: Node | undefined }[] = [];
  const here = (): Node | undefined => (steps.length === 0 ? root : steps.at(-1)?.node);
  for (const name of path.split('/').filter((part) => part !== '')) {
    const directory = here();
    if (directory === undefined) return -errno.ENOENT;
    if (directory.kind !== 'directory') return -errno.ENOTDIR;
    if (name === '..') steps.pop();
    else if (name !== '.') steps.push({ name, node: directory.cached.get(name) });
  }
  const node = here();
  const last = steps.pop();
  return {
    path: `/${[...steps, ...(last ? [last] : [])].map(({ name }) => name).join('/')}`,
    parent: here() as DirectoryNode,
    name: last?.name ?? '',
    node,
  };
}
