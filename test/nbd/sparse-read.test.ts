// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { piecesOf } from '../../src/nbd/sparse-read.js';

const zeroes = (sectors: number) => ({ sectors, allocated: false, zero: true });
const data = (sectors: number) => ({ sectors, allocated: true, zero: false });

const summary = (pieces: ReturnType<typeof piecesOf>): string[] =>
  pieces.map(({ sector, sectors, isHole }) => `${isHole ? 'hole' : 'data'} ${sector}+${sectors}`);

t.test('a hole of 8 KiB is one, a smaller one is read like data', async (t) => {
  t.same(summary(piecesOf(100, 48, [data(16), zeroes(16), data(16)])), [
    'data 100+16',
    'hole 116+16',
    'data 132+16',
  ]);
  t.same(summary(piecesOf(100, 47, [data(16), zeroes(15), data(16)])), ['data 100+47']);
  t.same(summary(piecesOf(0, 64, [zeroes(32), zeroes(32)])), ['hole 0+64'], 'alike, and joined');
});

t.test('what an extent has beyond the range does not count, and what no extent has is data', async (t) => {
  t.same(summary(piecesOf(8, 32, [zeroes(16), data(64)])), ['hole 8+16', 'data 24+16']);
  t.same(summary(piecesOf(8, 20, [data(10), zeroes(64)])), ['data 8+20'], 'the hole’s part is too small');
  t.same(summary(piecesOf(8, 32, [data(32), zeroes(64)])), ['data 8+32']);
  t.same(summary(piecesOf(8, 32, [zeroes(32), data(64)])), ['hole 8+32'], 'not even as an empty piece');
  t.same(summary(piecesOf(0, 18, [data(1), zeroes(16), data(1)])), ['data 0+1', 'hole 1+16', 'data 17+1']);
  t.same(summary(piecesOf(8, 32, [zeroes(16)])), ['hole 8+16', 'data 24+16']);
  t.same(summary(piecesOf(8, 32, [])), ['data 8+32']);
});

t.test('there are 64 pieces at most, and the last one is read whole', async (t) => {
  /** So many pieces of 16 sectors, by turns, a hole first. */
  const byTurns = (count: number) =>
    Array.from({ length: count }, (_, index) => (index % 2 === 0 ? zeroes(16) : data(16)));
  const many = piecesOf(0, 16 * 100, byTurns(100));
  t.equal(many.length, 64);
  t.same(summary(many).slice(61), ['data 976+16', 'hole 992+16', `data 1008+${16 * 37}`]);
  const few = piecesOf(0, 16 * 64, byTurns(64));
  t.same(summary(few).slice(62), ['hole 992+16', 'data 1008+16']);
  // Here the 64th would be a hole.
  const shifted = piecesOf(0, 16 * 70, [data(16), ...byTurns(69)]);
  t.equal(shifted.length, 64);
  t.same(summary(shifted).slice(62), ['data 992+16', `data 1008+${16 * 7}`]);
});
