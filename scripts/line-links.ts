// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Declaration, declarationsOf, lineOf } from './declarations.js';

/** A Markdown text with its links to lines put right. */
export interface Corrected {
  readonly text: string;
  /** How many links to names there are, with a line or without. */
  readonly links: number;
  /** The links that led elsewhere, in words. */
  readonly moved: readonly string[];
  /** The links that name nothing that their file declares, or several things, in words. */
  readonly complaints: readonly string[];
}

/**
 * ``[`name`](file.ts#L12)``: the file, and the line that declares the name; calls may be written `name()`. Without a line,
 * the link just names what the file declares.
 */
const NAME_LINK = /\[`([^`\]]+)`\]\(([^)\s#]+\.ts)(?:#L(\d+))?\)/g;

/**
 * Makes each link to a line of a TypeScript file point at the line that declares what the link's text names, and checks
 * that links without a line name something in their file, too.
 *
 * @param sourceOf the text of the file that a link's path leads to, or undefined when there is none
 */
export function correctLineLinks(
  markdown: string,
  sourceOf: (path: string) => string | undefined,
): Corrected {
  const moved: string[] = [];
  const complaints: string[] = [];
  const declared = new Map<string, readonly Declaration[]>();
  const declaredIn = (path: string): readonly Declaration[] | undefined => {
    if (!declared.has(path)) {
      const source = sourceOf(path);
      if (source !== undefined) declared.set(path, declarationsOf(source));
    }
    return declared.get(path);
  };
  let links = 0;
  const text = markdown.replace(NAME_LINK, (link, shown: string, path: string, line: string | undefined) => {
    links += 1;
    const declarations = declaredIn(path);
    if (declarations === undefined) {
      complaints.push(`${link}: no such file`);
      return link;
    }
    const name = shown.replace(/\(\)$/, '');
    const found = lineOf(name, declarations);
    if (found === undefined) {
      complaints.push(`${link}: ${path} declares no ${name}, or several (write Owner.${name} then)`);
      return link;
    }
    if (line === undefined) return link;
    if (found !== Number(line)) moved.push(`${link}: ${name} is declared in line ${found}`);
    return `[\`${shown}\`](${path}#L${found})`;
  });
  return { text, links, moved, complaints };
}
