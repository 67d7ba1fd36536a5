// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Fails when a file of the repository says neither itself nor through REUSE.toml under which licence it stands, or
// names a licence whose text is not in LICENSES/.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { conclude } from './conclude.js';
import { repositoryFiles, root } from './repository-files.js';

/** The tags stand in the first lines, after a `#!` line at most. */
const HEADER_LINES = 5;

/** A path pattern of REUSE.toml: `*` stays in one directory, `**` does not. */
function patternToRegExp(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      return part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`);
}

/** The patterns of every `path = "…"` and `path = ["…", …]` in REUSE.toml; no other part of TOML is needed here. */
function annotatedPatterns(toml: string): RegExp[] {
  return [...toml.matchAll(/^path\s*=\s*(\[[^\]]*\]|"[^"]*")/gm)]
    .flatMap((assignment) => [...(assignment[1] ?? '').matchAll(/"([^"]*)"/g)])
    .map((quoted) => patternToRegExp(quoted[1] ?? ''));
}

function complaintAbout(file: string): string | undefined {
  const header = readFileSync(path.join(root, file), 'utf8').split('\n', HEADER_LINES).join('\n');
  const licence = /SPDX-License-Identifier[:] (\S+)/.exec(header)?.[1];
  if (licence === undefined) {
    return `${file}: no "SPDX-License-Identifier" with a licence in its first ${HEADER_LINES} lines, and REUSE.toml does not cover it`;
  }
  if (!existsSync(path.join(root, 'LICENSES', `${licence}.txt`))) {
    return `${file}: LICENSES/${licence}.txt, the licence it names, does not exist`;
  }
  if (!/SPDX-FileCopyrightText[:] \S|Copyright \(C\) \d/.test(header)) {
    return `${file}: no "SPDX-FileCopyrightText" with a holder in its first ${HEADER_LINES} lines`;
  }
  return undefined;
}

const covered = annotatedPatterns(readFileSync(path.join(root, 'REUSE.toml'), 'utf8'));
const files = repositoryFiles().filter(
  (file) => !file.startsWith('LICENSES/') && !covered.some((pattern) => pattern.test(file)),
);
const complaints = files.map(complaintAbout).filter((complaint) => complaint !== undefined);
conclude('check-spdx', `${files.length} files name their licence`, complaints);
