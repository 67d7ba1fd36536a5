// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { repositoryFile } from '../repository-files.js';
import { isLeftAlone, replacementsOf, type Replacement } from './mutators.js';

/** One way to break one place of a source file. */
export interface Mutation extends Replacement {
  /** From the repository's root, as `src/nbd/server.ts`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
  /** The lines that change, in one line, as they are and as they become. */
  readonly before: string;
  readonly after: string;
  /** The same for the same mutation as long as its lines are. */
  readonly id: string;
}

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** All mutations of one file, in the order of the file. */
export function mutationsOf(file: string, text = readFileSync(repositoryFile(file), 'utf8')): Mutation[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Mutation[] = [];
  const seen = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    if (isLeftAlone(node)) return;
    for (const replacement of replacementsOf(node)) found.push(described(replacement));
    ts.forEachChild(node, visit);
  };
  const described = (replacement: Replacement): Mutation => {
    const { start, end } = replacement;
    const lineStart = text.lastIndexOf('\n', start - 1) + 1;
    const lineEnd = text.indexOf('\n', end);
    const { line, character } = source.getLineAndCharacterOfPosition(start);
    const before = inOneLine(text.slice(lineStart, lineEnd));
    const after = inOneLine(text.slice(lineStart, start) + replacement.text + text.slice(end, lineEnd));
    const key = `${file}: ${before} => ${after}`;
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    const id = createHash('sha256').update(`${key} ${count}`).digest('hex').slice(0, 16);
    return { ...replacement, file, line: line + 1, column: character, before, after, id };
  };
  visit(source);
  return found;
}

/** A source text with one mutation in it. */
export function mutated(mutation: Mutation, text: string): string {
  return text.slice(0, mutation.start) + mutation.text + text.slice(mutation.end);
}

/** In the order that a seed gives them; one that comes or goes leaves the order of the others as it is. */
export function inSeededOrder(mutations: readonly Mutation[], seed: number): Mutation[] {
  const rank = new Map(
    mutations.map(({ id }) => [id, createHash('sha256').update(`${seed} ${id}`).digest('hex')]),
  );
  return mutations.toSorted((a, b) => ((rank.get(a.id) as string) < (rank.get(b.id) as string) ? -1 : 1));
}
