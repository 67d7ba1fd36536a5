// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Corrects the links to lines of source files (`#L12`) in README.md and docs/: each leads to the line that declares what
// the link names. Fails when a link names nothing that its file declares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { conclude } from './conclude.js';
import { correctLineLinks } from './line-links.js';
import { documentFiles, root } from './repository-files.js';

const complaints: string[] = [];
let links = 0;
let corrected = 0;
for (const file of documentFiles()) {
  const before = readFileSync(path.join(root, file), 'utf8');
  const result = correctLineLinks(before, (target) => {
    const source = path.join(root, path.dirname(file), target);
    return existsSync(source) ? readFileSync(source, 'utf8') : undefined;
  });
  links += result.links;
  corrected += result.moved.length;
  complaints.push(...result.complaints.map((complaint) => `${file}: ${complaint}`));
  if (result.text !== before) writeFileSync(path.join(root, file), result.text);
}
conclude(
  'update-line-links',
  `${links} links name what their files declare, and lines of ${corrected} were corrected`,
  complaints,
);
