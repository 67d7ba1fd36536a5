// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { blockShape, NOT_ALLOCATED } from '../../../../src/disks/drivers/vhd/bat.js';
import { BlockWriter, type WriterParts } from '../../../../src/disks/drivers/vhd/block-writer.js';
import type { ImageFile } from '../../../../src/disks/drivers/vhd/image-file.js';
import { BlockLayer, type DirtyBlock } from '../../../../src/disks/drivers/vhd/layer.js';
import type { Blocks } from '../../../../src/disks/drivers/vhd/load-image.js';
import type { Done } from '../../../../src/disks/index.js';
import { errno } from '../../../../src/posix/errno.js';

const PIECE = { block: 0, from: 2, to: 4 };
const DATA = new Uint8Array(2 * 512).fill(1);

/** A writer with early answers, of an image of one block of eight sectors, and what it does beside writing data. */
function writerWith(entry: number) {
  const log: unknown[] = [];
  const results: number[] = [];
  const faults: number[] = [];
  const files = {
    read: (_fd: number, bytes: Uint8Array, _position: number, done: Done) => done(bytes.length),
    write: (_fd: number, bytes: Uint8Array, _position: number, done: Done) =>
      done(faults.shift() ?? bytes.length),
  };
  const file = { fd: 7, isRegular: true } as ImageFile;
  const blocks = { bat: Uint32Array.of(entry), shape: blockShape(8 * 512) } as unknown as Blocks;
  const layer = new BlockLayer(files, file, 8, blocks, Number.POSITIVE_INFINITY);
  const commits = {
    add: (dirty: DirtyBlock, needsSync: boolean) =>
      log.push({ ...dirty, bits: dirty.bits[0], written: dirty.written[0], needsSync }),
    abandon: ({ block, users }: DirtyBlock) => log.push(`abandon ${block}, ${users} users`),
  };
  const zeroed = { covers: () => true, spoil: (block: number) => log.push(`spoil ${block}`) };
  const space = { reserve: (done: Done) => done(9) };
  const parts = { files, layer, space, commits, zeroed, answersEarly: true };
  const writer = new BlockWriter(parts as unknown as WriterParts);
  const done = (result: number): void => void results.push(result);
  return { writer, layer, log, results, faults, done };
}

/** What is committed of the block once the piece is written. */
const COMMITTED = {
  block: 0,
  place: 9,
  bits: 0b0011_0000,
  written: 0,
  needsEntry: true,
  isZero: false,
  users: 0,
  isUncertain: false,
  needsSync: false,
};

t.test('a new block gets a place, and is committed once its data is written', async (t) => {
  const { writer, layer, log, results, done } = writerWith(NOT_ALLOCATED);
  writer.write(PIECE, DATA, done);
  t.same([log, results], [[COMMITTED], [0]]);
  t.equal(layer.placeOf(0), 9);
});

t.test(
  'a block that is in the file keeps its place, and its bitmap is held until it is committed',
  async (t) => {
    const { writer, layer, log, results, done } = writerWith(20);
    writer.write(PIECE, DATA, done);
    t.same([log, results], [[{ ...COMMITTED, place: 20, needsEntry: false }], [0]]);
    t.equal(layer.bitmaps.get(0), undefined);
    t.equal(layer.bitsOf(0)?.[0], 0b0011_0000);
  },
);

t.test('zeroes of a new block need no write until it has data', async (t) => {
  const { writer, layer, log, results, done } = writerWith(NOT_ALLOCATED);
  const zeroed: unknown[] = [];
  const zero = (range: unknown, ended: Done): void => {
    zeroed.push(range);
    ended(0);
  };
  writer.zero(PIECE, zero, true, done);
  t.same([log.splice(0), zeroed], [[{ ...COMMITTED, isZero: true }], []], 'it is a hole');
  const [dirty] = layer.dirty.values();
  if (dirty) dirty.written = dirty.bits.slice();
  writer.zero(PIECE, zero, true, done);
  t.same([log, zeroed], [[], []], 'nor any metadata once its bits are in the file');
  writer.write({ ...PIECE, from: 7, to: 8 }, DATA.subarray(512), done);
  t.same(log.splice(0), [{ ...COMMITTED, bits: 0b0011_0001, written: 0b0011_0000 }]);
  writer.zero(PIECE, zero, true, done);
  t.same(zeroed, [{ sector: 9 + 1 + 2, sectors: 2 }]);
  t.same(results, [0, 0, 0, 0]);
});

t.test('a write that fails sets no bit, and what it may have left is taken into account', async (t) => {
  const { writer, layer, log, results, faults, done } = writerWith(NOT_ALLOCATED);
  faults.push(-errno.EIO);
  writer.write(PIECE, DATA, done);
  t.same([log, results], [['spoil 0', 'abandon 0, 0 users'], [-errno.EIO]]);
  t.equal(layer.bitsOf(0)?.[0], 0);
});
