// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { RecordPiece } from '../../../../src/replication/disk/backup/record-piece.js';
import { SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import { TestFiles } from './host-files.js';

const PATH = '/srv/state/journal-0';

/** A segment whose file has the bytes 0, 1 and so on from `position` on. */
async function segment(files: TestFiles, position: number): Promise<SegmentFile> {
  const made = await files.wait(SegmentFile.create(files.calls, PATH, 256 << 10));
  await files.wait(
    made.file.writeAt(
      position,
      Uint8Array.from({ length: 256 }, (_, at) => at),
    ),
  );
  return made;
}

t.test('a piece in memory is read from there, and is not written unless that is reported', async (t) => {
  const piece = new RecordPiece(Uint8Array.of(1, 2, 3, 4, 5));
  const into = new Uint8Array(2);
  const results: number[] = [];
  piece.read(2, into, (result) => results.push(result));
  t.same([...into, ...results], [3, 4, 0]);
  t.notOk(piece.isWritten);
  piece.written();
  t.ok(piece.isWritten);
});

t.test('a piece that is stored is read from its file, at its place', async (t) => {
  const files = new TestFiles();
  const piece = RecordPiece.stored(await segment(files, 100_000), 100_000);
  t.ok(piece.isWritten);
  t.equal(piece.pins, 0);
  const into = new Uint8Array(3);
  t.equal(await files.ended((done) => piece.read(40, into, done)), 0);
  t.same([...into], [40, 41, 42]);
});

t.test('a piece whose memory is given up is read from the file that it was written to', async (t) => {
  const files = new TestFiles();
  const piece = new RecordPiece(Uint8Array.of(9, 9, 9));
  piece.place(await segment(files, 100_000), 100_000);
  const into = new Uint8Array(2);
  t.equal(await files.ended((done) => piece.read(1, into, done)), 0);
  t.same([...into], [9, 9]);
  piece.bytes = undefined;
  t.equal(await files.ended((done) => piece.read(1, into, done)), 0);
  t.same([...into], [1, 2]);
});

t.test('a piece that is neither in memory nor in a file cannot be read', async (t) => {
  const results: number[] = [];
  new RecordPiece(undefined).read(0, new Uint8Array(1), (result) => results.push(result));
  t.same(results, [-errno.EIO]);
});
