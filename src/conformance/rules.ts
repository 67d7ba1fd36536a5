// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import type { Dialect } from '../scheduler/dialect.js';
import { packageFile } from '../server/package-file.js';
import { type SuiteName, vectorName } from './vector.js';

/** A rule of docs/semantics.md. */
export interface Rule {
  /** Such as `P6` or `T-P6`. */
  readonly id: string;
  readonly title: string;
  readonly suite: SuiteName;
  readonly dialect?: Dialect;
  /** The names of the vectors that pin it. */
  readonly vectors: readonly string[];
}

/** The suites of the rules by the letter that their ids begin with; those of the scheduler have several letters. */
const SUITES: Readonly<Record<string, SuiteName>> = { R: 'replication', A: 'async-io', K: 'ramdisk' };

/** The full name of each vector that pins a rule: of the ramdisk's two suites, one has its own prefix. */
export function pinningVectors({ suite, dialect, vectors }: Rule): string[] {
  return vectors.map((name) =>
    vectorName({ suite: name.startsWith('guarded-') ? 'ramdisk-guarded' : suite, dialect, name }),
  );
}

/** The rules in their order: a heading `### P6. Title`, its text, and a paragraph that starts with `Pinned by`. */
export function rulesOf(markdown: string): Rule[] {
  const sections = markdown.split(/^#{2,3} /m);
  return sections.flatMap((section) => {
    const [, id, title] = /^((?:T-)?[A-Z]\d+)\. (.+)/.exec(section) ?? [];
    if (id === undefined || title === undefined) return [];
    const paragraph = section.split(/\n{2,}/).find((text) => text.startsWith('Pinned by ')) ?? '';
    const vectors = [...paragraph.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    if (/^(?:T-|B)/.test(id)) return [{ id, title, suite: 'scheduler', dialect: 'tapdisk3', vectors }];
    return [{ id, title, suite: SUITES[id.charAt(0)] ?? 'scheduler', vectors }];
  });
}

/**
 * The rules of the package's own docs/semantics.md.
 *
 * @throws node:fs's Error when the package was installed without it
 */
export function ownRules(): Rule[] {
  return rulesOf(readFileSync(packageFile('docs/semantics.md'), 'utf8'));
}
