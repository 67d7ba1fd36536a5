// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Writes what the tables of the commands say into the files that repeat it: the blocks of documents between
// `<!-- help: … -->` and `<!-- /help -->`, the man pages, and their list in package.json.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { commandDocuments } from './command-documents.js';
import { conclude } from './conclude.js';
import { repositoryFile, repositoryFiles } from './repository-files.js';

const changed: string[] = [];
const documents = commandDocuments();
for (const [file, after] of documents) {
  const path = repositoryFile(file);
  if (existsSync(path) && readFileSync(path, 'utf8') === after) continue;
  writeFileSync(path, after);
  changed.push(file);
}
for (const file of repositoryFiles()) {
  if (!file.startsWith('man/') || documents.has(file)) continue;
  rmSync(repositoryFile(file));
  changed.push(`${file} (removed)`);
}
conclude('update-command-docs', `${changed.length} files changed: ${changed.join(', ') || 'none'}`, []);
