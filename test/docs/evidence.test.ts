// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { documents, linkedFile } from './markdown.js';

// Documentation backs what it claims by links to tests, with the test's title: [shown](../test/x.test.ts "the title").
for (const document of documents()) {
  const links = [...document.text.matchAll(/\]\((\S+\.ts) "([^"]*)"\)/g)];
  if (links.length === 0) continue;
  t.test(`${document.file} leads to tests that there are`, async (t) => {
    for (const [, target = '', title = ''] of links) {
      const source = linkedFile(document, target);
      t.ok(source !== undefined && /(?:^|\/)test\//.test(target), `${target} is a file of the tests`);
      t.ok(source !== undefined && hasTitle(source, title), `${target} has a test "${title}"`);
    }
  });
}

t.test('a title counts only as a whole', async (t) => {
  t.ok(hasTitle("t.test('one is one', async", 'one is one'));
  t.ok(hasTitle('title:\n  "it\'s `so`",', "it's `so`"));
  t.ok(hasTitle('t.test(`one is one (seed ${seed})`, async', 'one is one'));
  t.notOk(hasTitle("t.test('one is one', async", 'one is'));
});

/** Whether a source has the title as a string of its own; what a template adds in brackets at its end may be left out. */
function hasTitle(source: string, title: string): boolean {
  if (source.includes(`\`${title} (`)) return true;
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}
