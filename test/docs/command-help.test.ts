// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { withCurrentHelp } from '../../scripts/command-help.js';
import { documents } from './markdown.js';

t.test('the help in documents is what the commands print', async (t) => {
  for (const { file, text } of documents()) {
    t.equal(text, withCurrentHelp(text), `${file} (to update it: npx tsx scripts/update-command-docs.ts)`);
  }
});

t.test('a block of a command that does not exist is an error', async (t) => {
  t.throws(() => withCurrentHelp('<!-- help: tapdisk-ts frob -->\n<!-- /help -->'), /tapdisk-ts frob/);
});
