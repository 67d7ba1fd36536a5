// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync } from 'node:fs';
import t from 'tap';
import { manifest, repositoryFile } from '../../scripts/repository-files.js';
import { document, tableRows } from './markdown.js';

/** What npm runs by itself, before or after another script. */
const LIFECYCLE = ['dependencies', 'prepack', 'pretest', 'posttest'];

t.test('the table of commands has every script of the package, and no others', async (t) => {
  const rows = tableRows(document('CONTRIBUTING.md').text, '# Contributing').flat().join('\n');
  const told = new Set(Array.from(rows.matchAll(/`npm (?:run )?([\w:]+)/g), ([, name = '']) => name));
  t.same(told, new Set(Object.keys(manifest.scripts).filter((name) => !LIFECYCLE.includes(name))));
  const [, file = ''] = /`npx tsx (\S+)`/.exec(rows) ?? [];
  t.ok(existsSync(repositoryFile(file)), `${file} is there`);
});
