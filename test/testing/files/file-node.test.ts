// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { FileNode } from '../../../src/testing/files/file-node.js';
import { EVERYTHING_SURVIVES, NOTHING_SURVIVES } from '../../../src/testing/files/survival.js';

/** A file, and what is done to it in the words of the tests. */
function file() {
  const node = new FileNode(7, 0o600);
  const write = (position: number, text: string): void =>
    node.change({ kind: 'write', position, bytes: Buffer.from(text) });
  const text = (of = node): string => {
    const bytes = Buffer.alloc(of.size);
    of.peek(bytes);
    return bytes.toString('latin1').replaceAll('\0', '.');
  };
  const read = (position: number, length: number): number | undefined =>
    node.read(Buffer.alloc(length), position);
  return { node, write, text, read };
}

t.test('a sync covers what was done up to its moment, in its order', async (t) => {
  const { node, write, text } = file();
  t.equal(node.moment, 0);
  write(0, 'aaaa');
  write(2, 'bb');
  const { moment } = node;
  t.equal(moment, 2);
  write(0, 'cc');
  node.sync(moment);
  t.equal(text(), 'ccbb', 'readers see all');
  node.losePower(NOTHING_SURVIVES);
  t.equal(text(), 'aabb');
  write(0, 'd');
  node.losePower(EVERYTHING_SURVIVES);
  t.equal(text(), 'dabb');
});

t.test('a write that is synced by itself takes with it what it overlaps, and no other write', async (t) => {
  const { node, write, text } = file();
  write(0, '....aaaa');
  node.sync(node.moment);
  write(0, 'bb');
  write(1, 'cc');
  write(3, 'd');
  write(2, 'e');
  const { moment } = node;
  write(2, 'f');
  node.syncChange(moment);
  node.syncChange(99);
  t.equal(text(), 'bcfdaaaa');
  node.losePower(NOTHING_SURVIVES);
  t.equal(text(), '.ce.aaaa', 'of those before it the one with the same byte');
});

t.test('a change of the length is synced with every later write', async (t) => {
  const { node, write, text } = file();
  node.change({ kind: 'truncate', size: 4 });
  write(0, 'a');
  node.syncChange(node.moment);
  node.losePower(NOTHING_SURVIVES);
  t.equal(text(), 'a...');
});

t.test('a sync that fails leaves readers what they had, unless it is evicted', async (t) => {
  for (const evicts of [false, true]) {
    const { node, write, text } = file();
    write(0, 'old!');
    node.sync(node.moment);
    write(0, 'new');
    const { moment } = node;
    write(3, '?');
    node.failSync(moment, NOTHING_SURVIVES, evicts);
    t.equal(text(), evicts ? 'old?' : 'new?', 'what came after it is still to be written back');
    node.sync(node.moment);
    node.losePower(NOTHING_SURVIVES);
    t.equal(text(), 'old?');
  }
});

t.test('a sector that cannot be read fails every read that has a byte of it', async (t) => {
  const { node, write, read } = file();
  write(0, 'x'.repeat(3 * 512));
  node.spoil(512, 1);
  t.equal(read(0, 512), 512);
  t.equal(read(0, 513), undefined);
  t.equal(read(1023, 1), undefined);
  t.equal(read(1024, 512), 512);
  t.equal(read(3 * 512, 10), 0, 'at the end nothing is read');
  t.equal(read(1024, 0), 0);
  t.equal(read(600, 0), 0, 'nor is it when nothing is asked for');
  node.spoil(1024, 1);
  t.equal(read(0, 1024), undefined);
  t.equal(read(1535, 1), undefined);
  write(1024, 'y'.repeat(512));
  t.equal(read(1024, 512), 512);
  write(512, 'y'.repeat(511));
  t.equal(read(512, 1), undefined, 'it was written in part');
  write(513, 'y'.repeat(511));
  t.equal(read(512, 1), undefined);
  write(500, 'y'.repeat(524));
  t.equal(read(512, 1), 1, 'it was written whole');
});

t.test('rot changes bits of a byte on the medium', async (t) => {
  const { node, write, text } = file();
  write(0, 'ab');
  t.throws(() => node.rot(0, 1), RangeError, 'nothing is on the medium');
  node.sync(node.moment);
  node.rot(1, 3);
  t.equal(text(), 'aa');
  for (const position of [-1, 2, Number.NaN])
    t.throws(() => node.rot(position, 1), { message: /of a file of 2 bytes cannot rot/ });
});

t.test('a copy has all of a file, and shares nothing with it', async (t) => {
  const { node, write, text } = file();
  write(0, 'abc');
  node.sync(node.moment);
  write(1, 'x');
  node.spoil(0, 1);
  node.modifiedSeconds = 5;
  const copy = node.copy();
  t.match(copy, { id: 7, mode: 0o600, modifiedSeconds: 5, moment: 2, size: 3 });
  t.equal(copy.read(Buffer.alloc(1), 0), undefined);
  write(2, 'y');
  t.equal(text(copy), 'axc');
  copy.losePower(NOTHING_SURVIVES);
  t.equal(text(copy), 'abc');
  t.equal(text(), 'axy');
  t.equal(node.moment, 3);
});
