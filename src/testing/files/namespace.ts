// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { applyEntries, DirectoryNode, type EntryChanges, type Node } from './directory-node.js';
import type { Survival } from './survival.js';

interface Unsynced {
  readonly changes: EntryChanges;
  readonly moment: number;
}

/** The directories of a file system, and the changes of their entries that are not on the medium yet. */
export class Namespace {
  root = new DirectoryNode(1, 0o755);
  #unsynced: Unsynced[] = [];
  #moment = 0;

  /** The moment of the latest change: what {@link sync} is to cover. */
  get moment(): number {
    return this.#moment;
  }

  change(changes: EntryChanges): void {
    this.#unsynced.push({ changes, moment: ++this.#moment });
    applyEntries(changes, 'cached');
  }

  /** Brings the changes of a directory's entries, up to a moment, to the medium. */
  sync(directory: DirectoryNode, moment: number): void {
    for (const changes of this.#take(directory, moment)) applyEntries(changes, 'durable');
  }

  /** A sync that fails: some of the changes are on the medium, and nobody tries again with the others. */
  failSync(directory: DirectoryNode, moment: number, survival: Survival): void {
    for (const changes of this.#take(directory, moment)) {
      if (survival.keepsEntries()) applyEntries(changes, 'durable');
    }
  }

  /** The power is gone: some of the changes are lost, and every file loses what it loses. */
  losePower(survival: Survival): void {
    for (const { changes } of this.#unsynced) if (survival.keepsEntries()) applyEntries(changes, 'durable');
    this.#unsynced = [];
    for (const node of reachable([this.root], 'durable')) {
      if (node.kind === 'regular') {
        node.losePower(survival);
        continue;
      }
      node.cached.clear();
      for (const [name, child] of node.durable) node.cached.set(name, child);
    }
  }

  /** Every file and directory that has a name, by path; directories without the root. */
  entries(): Map<string, Node> {
    const found = new Map<string, Node>();
    const visit = (directory: DirectoryNode, prefix: string): void => {
      for (const [name, node] of [...directory.cached].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        found.set(`${prefix}/${name}`, node);
        if (node.kind === 'directory') visit(node, `${prefix}/${name}`);
      }
    };
    visit(this.root, '');
    return found;
  }

  /**
   * A copy that shares nothing with this one, and the copies of its files and directories by their numbers; those of
   * `nameless` as well, which may be open without having a name.
   */
  copy(nameless: readonly Node[]): { readonly namespace: Namespace; readonly nodes: Map<number, Node> } {
    const changed = this.#unsynced.flatMap(({ changes }) => changes);
    const named = changed.flatMap(({ directory, node }) => (node ? [directory, node] : [directory]));
    const all = reachable([this.root, ...named, ...nameless], 'durable', 'cached');
    const nodes = new Map<number, Node>();
    for (const node of all) {
      const { id, mode } = node;
      nodes.set(id, node.kind === 'regular' ? node.copy() : new DirectoryNode(id, mode));
    }
    const copyOf = <Kind extends Node>(node: Kind): Kind => nodes.get(node.id) as Kind;
    for (const node of all) {
      if (node.kind === 'regular') continue;
      const copy = copyOf(node);
      for (const [name, child] of node.durable) copy.durable.set(name, copyOf(child));
      for (const [name, child] of node.cached) copy.cached.set(name, copyOf(child));
    }
    const namespace = new Namespace();
    namespace.root = copyOf(this.root);
    namespace.#moment = this.#moment;
    namespace.#unsynced = this.#unsynced.map(({ changes, moment }) => ({
      moment,
      changes: changes.map(({ directory, name, node }) => ({
        directory: copyOf(directory),
        name,
        node: node && copyOf(node),
      })),
    }));
    return { namespace, nodes };
  }

  /**
   * The changes that a directory's sync covers, which are no longer unsynced: those of its own entries, and since changes
   * reach the medium whole and in order, the earlier ones of each directory that one of these is about as well.
   */
  #take(directory: DirectoryNode, moment: number): EntryChanges[] {
    const concerned = new Set([directory]);
    const taken = new Set<Unsynced>();
    for (const one of this.#unsynced.toReversed()) {
      if (one.moment > moment || !one.changes.some((change) => concerned.has(change.directory))) continue;
      taken.add(one);
      for (const change of one.changes) concerned.add(change.directory);
    }
    this.#unsynced = this.#unsynced.filter((one) => !taken.has(one));
    return [...taken].toReversed().map(({ changes }) => changes);
  }
}

/** Nodes, and all that can be reached from them. */
function reachable(from: readonly Node[], ...by: readonly ('durable' | 'cached')[]): Set<Node> {
  const found = new Set(from);
  // A set that grows while it is walked: what is added is visited too.
  for (const node of found) {
    if (node.kind === 'regular') continue;
    for (const which of by) for (const child of node[which].values()) found.add(child);
  }
  return found;
}
