// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileChange } from './change.js';
import { DirectoryNode, type EntryChanges, type Node } from './directory-node.js';
import { FileNode } from './file-node.js';
import type { Namespace } from './namespace.js';

/** Something that was done to a file system; files and directories are named by their numbers. */
export type FileOperation =
  | { readonly kind: 'change'; readonly file: number; readonly change: FileChange }
  | { readonly kind: 'entries'; readonly entries: readonly EntryOperation[] }
  /** A sync that has succeeded: of a file, or of a directory's entries; `isOne`: of the change of that moment alone. */
  | { readonly kind: 'sync'; readonly node: number; readonly moment: number; readonly isOne?: boolean };

/** A name in a directory, and what it stands for from now on; undefined: nothing. */
export interface EntryOperation {
  readonly directory: number;
  readonly name: string;
  readonly node: NodeOperand | undefined;
}

/** What identifies a file or directory, and how it is made when it is not there yet. */
export type NodeOperand = Pick<Node, 'id' | 'kind' | 'mode'>;

export function entriesOperation(changes: EntryChanges): FileOperation {
  const entries = changes.map(({ directory, name, node }) => ({
    directory: directory.id,
    name,
    node: node && { id: node.id, kind: node.kind, mode: node.mode },
  }));
  return { kind: 'entries', entries };
}

/** Does it again, to a copy of the file system it was done to. @throws Error when the copy is of another one */
export function redo(operation: FileOperation, namespace: Namespace, nodes: Map<number, Node>): void {
  switch (operation.kind) {
    case 'change':
      knownFile(nodes, operation.file).change(operation.change);
      break;
    case 'sync': {
      const node = nodes.get(operation.node);
      if (node instanceof DirectoryNode) namespace.sync(node, operation.moment);
      else if (operation.isOne) knownFile(nodes, operation.node).syncChange(operation.moment);
      else knownFile(nodes, operation.node).sync(operation.moment);
      break;
    }
    case 'entries':
      namespace.change(
        operation.entries.map(({ directory, name, node }) => {
          const parent = nodes.get(directory);
          if (!(parent instanceof DirectoryNode))
            throw new Error(`there is no directory ${directory} to redo a change in`);
          return { directory: parent, name, node: node && nodeFor(nodes, node) };
        }),
      );
      break;
  }
}

function nodeFor(nodes: Map<number, Node>, { id, kind, mode }: NodeOperand): Node {
  const known = nodes.get(id);
  if (known !== undefined) return known;
  const fresh = kind === 'regular' ? new FileNode(id, mode) : new DirectoryNode(id, mode);
  nodes.set(id, fresh);
  return fresh;
}

function knownFile(nodes: Map<number, Node>, id: number): FileNode {
  const node = nodes.get(id);
  if (node instanceof FileNode) return node;
  throw new Error(`there is no file ${id} to redo a change of`);
}
