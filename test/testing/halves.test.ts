// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type Piece, ReceiveHalf, SendHalf } from '../../src/testing/halves.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (piece: Piece | undefined): string | undefined =>
  piece && `${piece.kind} ${piece.position} ${Buffer.from(piece.bytes).toString()}`.trimEnd();
const data = (position: number, text: string): Piece => ({ kind: 'DATA', position, bytes: bytes(text) });
const end = (position: number): Piece => ({ kind: 'FIN', position, bytes: bytes('') });

/** Reads up to so many bytes. */
function read(half: ReceiveHalf, size = 100): string {
  const target = Buffer.alloc(size);
  return target.toString('utf8', 0, half.read(target));
}

t.test('bytes are sent in order, in pieces up to a size, as far as the peer has room', async (t) => {
  const half = new SendHalf(10);
  t.notOk(half.isWaiting);
  t.notOk(half.isBlocked);
  t.equal(half.append(bytes('abcdefghijkl')), 10);
  t.equal(half.room, 0);
  t.equal(textOf(half.next(4)), undefined, 'the peer has reported no room');
  t.ok(half.isBlocked);
  t.ok(half.isWaiting);
  t.notOk(half.acknowledge(0, 7), 'room is not progress');
  t.equal(textOf(half.next(4)), 'DATA 0 abcd');
  t.notOk(half.isBlocked, 'its receipt is to come');
  t.equal(textOf(half.next(4)), 'DATA 4 efg');
  t.equal(textOf(half.next(4)), undefined);
  t.notOk(half.acknowledge(0, 3), 'room that was reported is not taken back');
  t.ok(half.acknowledge(4, 8));
  t.equal(half.room, 4);
  t.notOk(half.isFlushed);
  t.equal(textOf(half.next(4)), 'DATA 7 h');
  t.ok(half.acknowledge(8, 100));
  t.equal(textOf(half.next(4)), 'DATA 8 ij');
  t.ok(half.acknowledge(10, 100));
  t.ok(half.isFlushed);
  t.notOk(half.isWaiting);
});

t.test('only a receipt of more than before is progress', async (t) => {
  const half = new SendHalf(10);
  half.append(bytes('abcd'));
  half.acknowledge(0, 100);
  half.next(4);
  t.ok(half.acknowledge(2, 100));
  t.notOk(half.acknowledge(2, 100));
  t.notOk(half.acknowledge(1, 100));
  t.ok(half.acknowledge(3, 100));
});

t.test('what was not acknowledged is sent again, and what has come meanwhile is not', async (t) => {
  const half = new SendHalf(10);
  half.append(bytes('abcdef'));
  half.acknowledge(0, 100);
  half.next(3);
  half.next(3);
  half.acknowledge(2, 100);
  half.rewind();
  t.equal(textOf(half.probe()), 'DATA 2', 'a probe has no bytes, and sends nothing');
  t.ok(half.isBlocked, 'nothing is under way');
  t.equal(textOf(half.next(3)), 'DATA 2 cde');
  half.rewind();
  half.acknowledge(5, 100);
  t.equal(textOf(half.next(3)), 'DATA 5 f');
});

t.test('the end of file follows the bytes, needs no room, and is acknowledged as one', async (t) => {
  const half = new SendHalf(10);
  half.append(bytes('ab'));
  half.acknowledge(0, 2);
  t.notOk(half.isShut);
  half.shut();
  t.ok(half.isShut);
  t.equal(textOf(half.next(1)), 'DATA 0 a');
  t.equal(textOf(half.next(1)), 'DATA 1 b');
  t.equal(textOf(half.next(1)), 'FIN 2');
  t.equal(textOf(half.next(1)), undefined, 'once');
  half.acknowledge(2, 2);
  t.ok(half.isFlushed);
  t.ok(half.isWaiting);
  t.notOk(half.isFinished);
  half.rewind();
  t.equal(textOf(half.next(1)), 'FIN 2');
  half.acknowledge(3, 2);
  t.ok(half.isFinished);
  t.notOk(half.isWaiting);
});

t.test('bytes are received once and in order, whatever pieces come', async (t) => {
  const half = new ReceiveHalf(10);
  half.accept(data(0, 'abc'));
  t.equal(half.acknowledged, 3);
  half.accept(data(4, 'e'));
  t.equal(half.acknowledged, 3, 'after a gap');
  t.ok(half.isFresh(data(2, 'cd')));
  t.notOk(half.isFresh(data(1, 'bc')));
  t.ok(half.isFresh(data(4, 'e')), 'after a gap, too');
  t.notOk(half.isFresh(end(4)), 'an end of file has no bytes');
  half.accept(data(1, 'bc'));
  half.accept(data(2, 'cd'));
  t.equal(half.length, 4);
  t.equal(read(half, 3), 'abc');
  t.equal(read(half), 'd');
  t.equal(read(half), '');
  half.accept(data(4, 'efghijklmnop'));
  t.equal(half.acknowledged, 14, 'up to its limit');
  t.notOk(half.isEnded);
  t.equal(read(half), 'efghijklmn');
});

t.test('until room is reported the peer knows of what there was at first', async (t) => {
  const half = new ReceiveHalf(10);
  t.notOk(half.hasNewsOfRoom);
  half.accept(data(0, 'abcdef'));
  t.equal(read(half, 4), 'abcd');
  t.notOk(half.hasNewsOfRoom, 'less than half of it is free again');
  t.equal(read(half), 'ef');
  t.ok(half.hasNewsOfRoom);
});

t.test('the end of file comes after all bytes, and nothing after it', async (t) => {
  const half = new ReceiveHalf(10);
  half.accept(data(0, 'ab'));
  half.accept(end(3));
  t.notOk(half.isEnded, 'a byte is missing');
  half.accept(end(2));
  t.ok(half.isEnded);
  t.equal(half.acknowledged, 3);
  half.accept(data(2, 'c'));
  t.equal(read(half), 'ab');
  t.equal(half.acknowledged, 3);
});

t.test('what is not to be read any more makes room as it comes', async (t) => {
  const half = new ReceiveHalf(4);
  half.accept(data(0, 'abc'));
  half.discard();
  t.equal(half.length, 0);
  half.accept(data(3, 'defg'));
  t.equal(half.length, 0);
  t.equal(half.acknowledged, 7);
  t.equal(half.advertise(), 11);
});

t.test('room is news when it is half of the buffer', async (t) => {
  const half = new ReceiveHalf(8);
  t.equal(half.advertise(), 8);
  half.accept(data(0, 'abcdef'));
  t.notOk(half.hasNewsOfRoom);
  read(half, 3);
  t.notOk(half.hasNewsOfRoom, 'three bytes of eight');
  read(half, 1);
  t.ok(half.hasNewsOfRoom, 'four');
  t.equal(half.advertise(), 12);
  t.notOk(half.hasNewsOfRoom, 'it was reported');
  half.accept(data(6, 'ghijkl'));
  read(half, 1);
  t.notOk(half.hasNewsOfRoom);
  const full = new ReceiveHalf(3);
  full.accept(data(0, 'abc'));
  full.advertise();
  read(full, 1);
  t.notOk(full.hasNewsOfRoom, 'more can be read');
  read(full, 2);
  t.ok(full.hasNewsOfRoom);
  const small = new ReceiveHalf(100);
  small.accept(data(0, 'a'.repeat(10)));
  read(small);
  t.notOk(small.hasNewsOfRoom, 'the peer has room for ninety');
});
