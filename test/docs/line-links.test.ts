// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { declarationsOf } from '../../scripts/declarations.js';
import { correctLineLinks } from '../../scripts/line-links.js';
import { documents, linkedFile } from './markdown.js';

const source = `
export const FIRST = 1;
export interface Box<Thing> {
  thing: Thing;
  open(): void;
}
class Other {
  #count = 0;
  open(): void {}
  constructor(readonly size: number, weight: number) {}
}
function close(): void { const inner = 1; }
`;
const sourceOf = (path: string) => (path === 'box.ts' ? source : undefined);

t.test('links to lines point to what they name', async (t) => {
  for (const document of documents()) {
    const { moved, complaints } = correctLineLinks(document.text, (path) => linkedFile(document, path));
    const remedy = 'to correct the lines: npx tsx scripts/update-line-links.ts';
    t.same([...moved, ...complaints], [], `${document.file} (${remedy})`);
  }
});

t.test('top-level names and members are declarations, names within functions are not', async (t) => {
  t.same(
    declarationsOf(source).map(({ name, line }) => `${line} ${name}`),
    [
      '2 FIRST',
      '3 Box',
      '4 Box.thing',
      '5 Box.open',
      '7 Other',
      '8 Other.#count',
      '9 Other.open',
      '10 Other.size',
      '12 close',
    ],
  );
});

t.test('a link whose target line has moved is corrected', async (t) => {
  const { text, links, moved, complaints } = correctLineLinks(
    'See [`close()`](box.ts#L3), [`thing`](box.ts#L4) and [`Box.open`](box.ts#L9).',
    sourceOf,
  );
  t.equal(text, 'See [`close()`](box.ts#L12), [`thing`](box.ts#L4) and [`Box.open`](box.ts#L5).');
  t.equal(links, 3);
  t.equal(moved.length, 2);
  t.same(complaints, []);
});

t.test('a link without a line stays so, but must name something', async (t) => {
  const markdown =
    'See [`close`](box.ts) and [`nothing`](box.ts); [the file](box.ts) is a link of another kind.';
  const { text, links, moved, complaints } = correctLineLinks(markdown, sourceOf);
  t.equal(text, markdown);
  t.equal(links, 2);
  t.same(moved, []);
  t.match(complaints, [/nothing/]);
});

t.test('a link that names nothing, or something ambiguous, is reported and left unchanged', async (t) => {
  const markdown = '[`inner`](box.ts#L12) [`open`](box.ts#L5) [`close`](none.ts#L1)';
  const { text, complaints } = correctLineLinks(markdown, sourceOf);
  t.equal(text, markdown);
  t.match(complaints, [/inner/, /Owner\.open/, /no such file/]);
  t.equal(complaints.length, 3);
});
