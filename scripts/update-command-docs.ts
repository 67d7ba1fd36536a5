// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Writes what the tables of the commands say into the documents: the blocks between `<!-- help: … -->` and
// `<!-- /help -->`.
import { readFileSync, writeFileSync } from 'node:fs';
import { withCurrentHelp } from './command-help.js';
import { conclude } from './conclude.js';
import { documentFiles, repositoryFile } from './repository-files.js';

const changed: string[] = [];
for (const file of documentFiles()) {
  const before = readFileSync(repositoryFile(file), 'utf8');
  const after = withCurrentHelp(before);
  if (after === before) continue;
  writeFileSync(repositoryFile(file), after);
  changed.push(file);
}
conclude('update-command-docs', `${changed.length} files changed: ${changed.join(' ')}`, []);
