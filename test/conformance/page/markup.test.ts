// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { html, Markup } from '../../../src/conformance/page/markup.js';

t.test('text is escaped, in an element and in an attribute', async (t) => {
  const text = `<b>&amp; "x" 'y'</b>`;
  t.equal(
    html`<p title="${text}">${text}</p>`.text,
    `<p title="&#60;b&#62;&#38;amp; &#34;x&#34; 'y'&#60;/b&#62;">&#60;b&#62;&#38;amp; &#34;x&#34; 'y'&#60;/b&#62;</p>`,
  );
});

t.test('control characters are made visible; line ends stay', async (t) => {
  t.equal(html`${'a\u202Eb\u0000c\nd\u2028'}`.text, 'a\\u202eb\\u0000c\nd\\u2028');
});

t.test('markup, lists of it, numbers and nothing are inserted unescaped', async (t) => {
  const [one, two] = [html`1`, html`2`];
  t.equal(html`${new Markup('<i>')}|${[one, two]}|${3}|${undefined}|${[]}`.text, '<i>|12|3||');
});

t.test('a backslash in the template stays a backslash', async (t) => {
  t.equal(html`a\\b${'\\n'}`.text, 'a\\b\\n');
});
