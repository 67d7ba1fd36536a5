// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileNode } from './file-node.js';

/** What a name in a directory can stand for. */
export type Node = FileNode | DirectoryNode;

/** A directory: the entries that are on the medium, and those that a reader sees. */
export class DirectoryNode {
  readonly kind = 'directory' as const;
  readonly id: number;
  /** Its permission bits. */
  mode: number;
  readonly size = 4096;
  readonly modifiedSeconds = 0;
  readonly durable = new Map<string, Node>();
  readonly cached = new Map<string, Node>();

  constructor(id: number, mode: number) {
    this.id = id;
    this.mode = mode;
  }
}

/** What a name in a directory stands for from now on; undefined: nothing. */
export interface EntryChange {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
}

/** Changes of entries that reach the medium together or not at all, as those of a rename do. */
export type EntryChanges = readonly EntryChange[];

export function applyEntries(changes: EntryChanges, which: 'durable' | 'cached'): void {
  for (const { directory, name, node } of changes) {
    if (node === undefined) directory[which].delete(name);
    else directory[which].set(name, node);
  }
}
