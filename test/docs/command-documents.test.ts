// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { allEntries, commandDocuments, withCurrentHelp } from '../../scripts/command-documents.js';
import { manifest, repositoryFile, repositoryFiles } from '../../scripts/repository-files.js';
import { document } from './markdown.js';

t.test('help in documents, the man pages and their list match the commands’ tables', async (t) => {
  const documents = commandDocuments();
  for (const [file, text] of documents) {
    const found = existsSync(repositoryFile(file)) ? readFileSync(repositoryFile(file), 'utf8') : undefined;
    t.equal(found, text, `${file} (to update it: npx tsx scripts/update-command-docs.ts)`);
  }
  const pages = repositoryFiles().filter((file) => file.startsWith('man/'));
  t.same(pages.toSorted(), manifest.man.toSorted(), 'no page is left of a command that is gone');
  t.ok(manifest.files.includes('man'));
});

t.test('docs/command-line.md has the help of every command', async (t) => {
  const { text } = document('docs/command-line.md');
  for (const { path } of allEntries().slice(1)) t.match(text, `<!-- help: ${path} -->\n`);
});

t.test('a block of a command that does not exist is an error', async (t) => {
  t.throws(() => withCurrentHelp('<!-- help: tapdisk-ts frob -->\n<!-- /help -->'), /tapdisk-ts frob/);
});
