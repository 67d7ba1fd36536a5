// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Fails when a relative link in a document leads nowhere: to a file that does not exist, a heading that is
// not there (`#heading`), or a line beyond the end of the file (`#L120`). Links to other hosts are not followed.
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { conclude } from './conclude.js';
import { documentFiles, root } from './repository-files.js';

interface Link {
  readonly line: number;
  readonly target: string;
}

/** The lines of a Markdown text with fenced code and code spans blanked, so that line numbers stay. */
function prose(markdown: string): string[] {
  let fence: string | undefined;
  return markdown.split('\n').map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (fence === undefined && mark !== undefined) fence = mark;
    else if (fence !== undefined && mark?.startsWith(fence) === true) fence = undefined;
    else if (fence === undefined) return line;
    return '';
  });
}

function linksOf(lines: readonly string[]): Link[] {
  return lines.flatMap((text, index) => {
    const withoutCode = text.replace(/`[^`]*`/g, (code) => ' '.repeat(code.length));
    const inline = [...withoutCode.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
    const referenced = [...withoutCode.matchAll(/^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/g)];
    return [...inline, ...referenced].map((match) => ({ line: index + 1, target: match[1] ?? '' }));
  });
}

/** The anchors that GitHub gives the headings of a Markdown file, and those set by hand with `id` or `name`. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  for (const line of prose(markdown)) {
    for (const set of line.matchAll(/<[^>]+\s(?:id|name)="([^"]+)"/g)) anchors.add(set[1] ?? '');
    const heading = /^#{1,6}\s+(.*?)\s*#*\s*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return anchors;
}

/** What is wrong with `fragment` as a place in `file`, or undefined. */
function fragmentComplaint(file: string, fragment: string): string | undefined {
  const lines = /^L(\d+)(?:-L(\d+))?$/.exec(fragment);
  if (lines !== null) {
    const length = readFileSync(file, 'utf8').trimEnd().split('\n').length;
    const last = Math.max(Number(lines[1]), Number(lines[2] ?? 0));
    return last <= length ? undefined : `the file ends at line ${length}`;
  }
  if (!file.endsWith('.md')) return undefined;
  return anchorsOf(readFileSync(file, 'utf8')).has(fragment.toLowerCase()) ? undefined : 'no such heading';
}

function complaintAbout(source: string, link: Link): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link.target)) return undefined;
  const at = `${source}:${link.line}: ${link.target}`;
  if (link.target.startsWith('/')) return `${at}: a link within the repository is relative`;
  const [pathname = '', fragment] = link.target.split('#', 2);
  const file =
    pathname === ''
      ? path.join(root, source)
      : path.resolve(root, path.dirname(source), decodeURIComponent(pathname));
  if (path.relative(root, file).startsWith('..')) return `${at}: leads out of the repository`;
  if (!existsSync(file)) return `${at}: no such file`;
  if (fragment === undefined || statSync(file).isDirectory()) return undefined;
  const complaint = fragmentComplaint(file, decodeURIComponent(fragment));
  return complaint === undefined ? undefined : `${at}: ${complaint}`;
}

const sources = documentFiles();
const links = sources.flatMap((source) =>
  linksOf(prose(readFileSync(path.join(root, source), 'utf8'))).map((link) => ({ source, link })),
);
const complaints = links
  .map(({ source, link }) => complaintAbout(source, link))
  .filter((complaint) => complaint !== undefined);
if (!sources.includes('README.md')) complaints.push('README.md: no such file');
conclude('check-links', `${links.length} links in ${sources.length} files lead somewhere`, complaints);
