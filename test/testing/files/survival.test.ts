// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { applyChange, type FileChange, torn } from '../../../src/testing/files/change.js';
import { FileContent } from '../../../src/testing/files/content.js';
import { drawnSurvival, EVERYTHING_SURVIVES } from '../../../src/testing/files/survival.js';
import { Random } from '../../../src/testing/index.js';

const writeOf = (position: number, length: number) =>
  ({ kind: 'write', position, bytes: new Uint8Array(length).fill(1) }) as const;

/** Where each piece begins and how long it is. */
const ranges = (pieces: readonly FileChange[]): string =>
  pieces
    .map((piece) => (piece.kind === 'write' ? `${piece.position}+${piece.bytes.length}` : piece.kind))
    .join(' ');

t.test('a torn write is in pieces that end at multiples of the grain', async (t) => {
  t.equal(ranges(torn(writeOf(1000, 1200), 512)), '1000+24 1024+512 1536+512 2048+152');
  t.equal(ranges(torn(writeOf(512, 1024), 512)), '512+512 1024+512');
  t.equal(ranges(torn(writeOf(4095, 2), 4096)), '4095+1 4096+1');
  t.equal(ranges(torn(writeOf(0, 0), 512)), '');
  const numbered = { kind: 'write', position: 510, bytes: Uint8Array.of(1, 2, 3, 4) } as const;
  t.same(torn(numbered, 512), [
    { kind: 'write', position: 510, bytes: Uint8Array.of(1, 2) },
    { kind: 'write', position: 512, bytes: Uint8Array.of(3, 4) },
  ]);
});

t.test('of a write its beginning, its end, any of its pieces, or its length alone may be left', async (t) => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 600; seed++) {
    const survival = drawnSurvival(new Random(seed));
    for (let crash = 0; crash < 4; crash++) seen.add(ranges(survival.remains(writeOf(0, 3 * 4096))));
  }
  const page = ['0+4096', '4096+4096', '8192+4096'];
  for (let subset = 0; subset < 8; subset++) {
    const left = page.filter((_, index) => subset & (1 << index)).join(' ');
    t.ok(seen.has(left), `pages: ${left || 'none'}`);
  }
  t.ok(seen.has('0+12288'), 'all of it, in one');
  t.ok(seen.has('extend'));
  const sectors = Array.from({ length: 24 }, (_, index) => `${index * 512}+512`);
  for (const cut of [1, 5, 23]) {
    t.ok(seen.has(sectors.slice(0, cut).join(' ')), `${cut} sectors from its beginning`);
    t.ok(seen.has(sectors.slice(cut).join(' ')), `all sectors but ${cut}`);
  }
});

t.test('a write of two sectors may be torn between them', async (t) => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 100; seed++) {
    for (const left of drawnSurvival(new Random(seed)).remains(writeOf(0, 1024)))
      seen.add(left.kind === 'write' ? ranges([left]) : left.kind);
  }
  t.same([...seen].toSorted(), ['0+1024', '0+512', '512+512', 'extend']);
});

t.test('of a write that cannot be torn all is left, nothing, or its length alone', async (t) => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 100; seed++)
    seen.add(ranges(drawnSurvival(new Random(seed)).remains(writeOf(0, 512))));
  t.same([...seen].toSorted(), ['', '0+512', 'extend']);
});

t.test('where everything survives, so does each change', async (t) => {
  const change = writeOf(0, 1);
  t.same(EVERYTHING_SURVIVES.remains(change), [change]);
  t.equal(EVERYTHING_SURVIVES.keepsEntries(), true);
});

t.test('other changes, and those of entries, are left whole or not at all', async (t) => {
  const shares = new Set<string>();
  for (let seed = 1; seed <= 100; seed++) {
    const survival = drawnSurvival(new Random(seed));
    let [kept, entries] = [0, 0];
    for (let crash = 0; crash < 40; crash++) {
      const left = survival.remains({ kind: 'truncate', size: 7 });
      if (left.length > 0 && ranges(left) !== 'truncate') t.fail(ranges(left));
      kept += left.length;
      if (survival.keepsEntries()) entries += 1;
    }
    for (const count of [kept, entries]) shares.add(count === 0 ? 'none' : count === 40 ? 'all' : 'some');
  }
  t.same([...shares].toSorted(), ['all', 'none', 'some'], 'how likely it is differs from crash to crash');
});

t.test('the length that is noted is that which the write would have made', async (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const [left] = drawnSurvival(new Random(seed)).remains(writeOf(100, 50));
    if (left?.kind === 'extend') t.equal(left.size, 150);
  }
});

t.test('changes of a content are those of a file', async (t) => {
  const content = new FileContent();
  const change = (...changes: FileChange[]): string => {
    for (const each of changes) applyChange(content, each);
    return `${content.size} bytes, ${content.pages} pages`;
  };
  t.equal(change(writeOf(4090, 10)), '4100 bytes, 2 pages');
  t.equal(change({ kind: 'extend', size: 5000 }), '5000 bytes, 2 pages');
  t.equal(change({ kind: 'extend', size: 10 }), '5000 bytes, 2 pages', 'it only grows');
  t.equal(change({ kind: 'allocate', position: 8192, length: 1 }), '8193 bytes, 3 pages');
  t.equal(change({ kind: 'punch', position: 4096, length: 4096 }), '8193 bytes, 2 pages');
  t.equal(change({ kind: 'punch', position: 0, length: 4095 }), '8193 bytes, 2 pages', 'no whole page');
  const bytes = Buffer.alloc(8193);
  content.read(bytes, 0);
  t.equal(bytes.indexOf(1), 4095);
  t.equal(bytes.lastIndexOf(1), 4095);
  t.equal(change({ kind: 'punch', position: 8192, length: 99_999 }), '8193 bytes, 2 pages', 'up to the end');
  t.equal(change({ kind: 'truncate', size: 4095 }), '4095 bytes, 1 pages');
  t.equal(change({ kind: 'truncate', size: 4096 }), '4096 bytes, 1 pages');
  content.read(bytes, 0);
  t.equal(bytes[4095], 0, 'what was cut off is zero when the file grows again');
  t.equal(content.read(bytes, 4096), 0);
  t.equal(content.read(bytes, 4000), 96);
  t.equal(content.missingPages(4095, 2), 1);
  t.equal(content.missingPages(0, 4096), 0);
  t.equal(change(writeOf(9000, 0)), '4096 bytes, 1 pages', 'nothing is written');
});
