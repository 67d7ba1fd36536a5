// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Segment, type Write } from './history.js';

const content = (...tags: number[]): Uint32Array => Uint32Array.from(tags);

/** A write of sectors from one on, asked for and answered at two moments. */
function write(tag: number, sector: number, sectors: number, issued: number, completed = Infinity): Write {
  return { tag, sector, sectors, issued, completed, mayTear: false };
}

/** Four sectors of zeroes, and writes. */
function segment(...writes: Write[]): Segment {
  const made = new Segment(content(0, 0, 0, 0));
  for (const one of writes) made.add(one);
  return made;
}

t.test('any moment’s content is accepted, with the first moment at which it existed', async (t) => {
  const disk = segment(write(1, 0, 1, 10, 20), write(2, 1, 1, 30, 40));
  t.equal(disk.momentOf(content(0, 0, 0, 0), -Infinity), -Infinity);
  t.equal(disk.momentOf(content(1, 0, 0, 0), -Infinity), 10);
  t.equal(disk.momentOf(content(1, 2, 0, 0), -Infinity), 30);
  t.equal(disk.momentOf(content(1, 0, 0, 0), 25), 25);
});

t.test('a write survives only with the writes acknowledged before it was submitted', async (t) => {
  const disk = segment(write(1, 0, 1, 10, 20), write(2, 1, 1, 30, 40));
  t.match(
    disk.momentOf(content(0, 2, 0, 0), -Infinity),
    /sector 0 is 0, which was over at 20, but sector 1 is 2/,
  );
});

t.test('of simultaneous writes any may survive', async (t) => {
  const disk = segment(write(1, 0, 1, 10, 40), write(2, 1, 1, 20, 30));
  for (const state of [content(0, 0, 0, 0), content(1, 0, 0, 0), content(0, 2, 0, 0), content(1, 2, 0, 0)])
    t.type(disk.momentOf(state, -Infinity), 'number');
});

t.test('acknowledged data must be there', async (t) => {
  const disk = segment(write(1, 0, 1, 10, 20), write(2, 1, 1, 12));
  t.match(disk.momentOf(content(0, 0, 0, 0), 30), /the content at 30 or later was promised/);
  t.equal(disk.momentOf(content(1, 0, 0, 0), 30), 30);
});

t.test('a write survives whole or not at all, unless its process died', async (t) => {
  const torn = write(1, 0, 3, 10);
  const disk = segment(torn);
  t.match(disk.momentOf(content(1, 1, 0, 0), -Infinity), /write 1 is in sector 0 and not in sector 2/);
  disk.end();
  t.type(disk.momentOf(content(1, 1, 0, 0), -Infinity), 'number');
});

t.test('writes of one sector are made in order of submission', async (t) => {
  const disk = segment(write(1, 0, 1, 10, 20), write(2, 0, 1, 15, 18), write(3, 1, 1, 30, 40));
  t.match(disk.momentOf(content(1, 3, 0, 0), -Infinity), /over at 18/);
  t.equal(disk.momentOf(content(2, 3, 0, 0), -Infinity), 30);
  t.same(disk.final(), content(2, 3, 0, 0));
});

t.test('zeroes that appeared more than once may stem from any of those times', async (t) => {
  const disk = segment(
    write(1, 0, 1, 10, 20),
    write(0, 0, 1, 30, 40),
    write(5, 1, 1, 50, 60),
    write(6, 0, 1, 70, 80),
  );
  t.equal(disk.momentOf(content(0, 5, 0, 0), -Infinity), 50);
  t.equal(disk.momentOf(content(0, 0, 0, 0), -Infinity), -Infinity);
  t.equal(disk.momentOf(content(0, 0, 0, 0), 25), 30);
  t.match(disk.momentOf(content(0, 0, 0, 0), 65), /promised/);
});

t.test('data that nobody wrote is detected', async (t) => {
  const disk = segment(write(1, 0, 1, 10, 20));
  t.match(disk.momentOf(content(7, 0, 0, 0), -Infinity), /sector 0 is 7, which was never there/);
  t.match(disk.momentOf(content(1, 0, 0, 9), -Infinity), /sector 3 is 9, expected 0/);
});

t.test('a read returns the content of some moment while it was under way', async (t) => {
  const disk = segment(write(1, 0, 1, 10, 20), write(2, 0, 1, 30, 40));
  t.ok(disk.mayRead(0, 0, 5, 15));
  t.ok(disk.mayRead(0, 1, 5, 15));
  t.notOk(disk.mayRead(0, 0, 21, 25), 'too old');
  t.notOk(disk.mayRead(0, 2, 21, 25), 'too early');
  t.ok(disk.mayRead(0, 1, 35, 36) && disk.mayRead(0, 2, 35, 36));
});

t.test(
  'a read in two parts may see a write that is under way from within a sector on, and no other',
  async (t) => {
    const disk = segment(write(0x0a0b, 0, 1, 10, 20), write(0x0c0d, 0, 1, 30, 40));
    t.ok(disk.mayRead(0, 0x0a0d, 25, 35));
    t.ok(disk.mayRead(0, 0x0c0b, 35, 45));
    t.notOk(disk.mayRead(0, 0x0c0b, 25, 28), 'it had not begun');
    t.notOk(disk.mayRead(0, 0x0c0b, 41, 45), 'it was over');
    t.notOk(disk.mayRead(0, 0x0c0e, 25, 35), 'a byte that nobody wrote');
    t.ok(disk.mayRead(0, 0x0a00, 5, 15), 'with what was there before');
  },
);
