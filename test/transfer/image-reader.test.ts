// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import t from 'tap';
import { BackupAnswer } from '../../src/transfer/backup-answer.js';
import { ImageReader } from '../../src/transfer/image-reader.js';
import { ImageWriter } from '../../src/transfer/image-writer.js';
import { Meter } from '../../src/transfer/meter.js';
import { GREETING, HEADER, trailer, TRAILER_BYTES, verdictLine } from '../../src/transfer/wire.js';
import { Random } from '../../src/testing/index.js';
import { randomBytes, randomSeed } from '../random.js';

const meter = (): Meter => new Meter({ now: () => 0 });
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What a writer makes of an image that it gets in one piece. */
function written(image: Buffer, raw = false): Buffer {
  const writer = new ImageWriter(meter(), { raw, size: undefined });
  const pieces: Uint8Array[] = [];
  const push = (piece: Uint8Array): number => pieces.push(Buffer.from(piece));
  writer.begin(push);
  if (image.length > 0) writer.data(image, push);
  writer.end(push);
  return Buffer.concat(pieces);
}

/** What a reader makes of a stream in chunks of the given sizes, over and over. */
function read(stream: Buffer, sizes: readonly number[], acceptsRaw = true) {
  const reader = new ImageReader(meter(), { acceptsRaw });
  const pieces: Uint8Array[] = [];
  let accepted = true;
  for (let start = 0, turn = 0; start < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // The chunk is overwritten as a pump's buffer is: the reader must not rely on it afterwards.
    const chunk = Buffer.from(stream.subarray(start, start + size));
    accepted &&= reader.data(chunk, (piece) => pieces.push(Buffer.from(piece)));
    chunk.fill(0);
    start += size;
  }
  reader.end();
  return { image: Buffer.concat(pieces), ending: reader.ending, accepted };
}

t.test('an image is unframed unchanged, however the stream is split', async (t) => {
  const seed = randomSeed(t);
  const random = new Random(seed);
  for (const length of [0, 1, TRAILER_BYTES - 1, TRAILER_BYTES, TRAILER_BYTES + 1, 1000]) {
    const image = randomBytes(random, length);
    const stream = written(image);
    const cuts = [[1], [2, 1], [HEADER.length], [HEADER.length + 1, 7], [TRAILER_BYTES], [stream.length]];
    for (const sizes of [...cuts, [random.integer(1, 200), random.integer(1, 200), random.integer(1, 20)]]) {
      const { image: got, ending } = read(stream, sizes);
      t.same(
        ending,
        { kind: 'complete', checked: true, bytes: length, sha256: sha256(image) },
        `${length} in ${sizes.join()}`,
      );
      t.ok(got.equals(image));
    }
  }
});

t.test(
  'a framed stream that ends anywhere before its end is broken, and gives no byte that is not the image',
  async (t) => {
    const image = Buffer.from('an image that is a little longer than the trailer of one, '.repeat(3));
    const stream = written(image);
    for (let length = 1; length < stream.length; length++) {
      const { image: got, ending } = read(stream.subarray(0, length), [13]);
      if (ending?.kind !== 'broken') t.fail(`${length} bytes were taken for ${JSON.stringify(ending)}`);
      if (!image.subarray(0, got.length).equals(got)) t.fail(`${length} bytes gave something else`);
    }
    t.equal(read(stream, [13]).ending?.kind, 'complete');
  },
);

t.test('a stream whose lengths do not add up is broken', async (t) => {
  const image = Buffer.from('image');
  const others = [
    trailer({ bytes: 4, sha256: sha256(image) }),
    trailer({ bytes: 5, sha256: sha256(Buffer.from('imagf')) }),
  ];
  for (const end of others) {
    const { ending } = read(Buffer.concat([HEADER, image, end]), [1000]);
    t.match(ending, { kind: 'broken', reason: 'what arrived is not what was sent' });
  }
});

t.test('a stream without a header is the image itself', async (t) => {
  for (const image of [Buffer.from('x'), Buffer.from('tapdisk-ts imago 1\n and more'), HEADER.subarray(1)]) {
    const { image: got, ending } = read(image, [3]);
    t.same(ending, { kind: 'complete', checked: false, bytes: image.length, sha256: sha256(image) });
    t.ok(got.equals(image));
  }
});

t.test(
  'a stream without a header is refused at its first byte that differs, unless raw images are accepted',
  async (t) => {
    t.equal(read(Buffer.from('tapdisk-tx'), [1], false).accepted, false);
    t.equal(read(written(Buffer.from('image')), [1], false).accepted, true);
  },
);

t.test('nothing more of an image that is too large is passed on, and an empty piece never', async (t) => {
  const maxBytes = 50;
  const reader = new ImageReader(meter(), { acceptsRaw: false, maxBytes });
  const lengths: number[] = [];
  const push = (piece: Uint8Array): number => lengths.push(piece.length);
  t.equal(reader.data(HEADER, push), true);
  // As long as a trailer: it may be one.
  t.equal(reader.data(Buffer.alloc(TRAILER_BYTES), push), true);
  t.same(lengths, []);
  t.equal(reader.refused, undefined);
  // Now none of the first can be of the trailer; the one byte after it would fit.
  t.equal(reader.data(Buffer.alloc(TRAILER_BYTES + 1), push), false);
  t.same(lengths, []);
  t.equal(reader.refused, 'size');
  const exact = new ImageReader(meter(), { acceptsRaw: true, maxBytes });
  t.equal(exact.data(Buffer.alloc(maxBytes), push), true);
  t.equal(exact.data(Buffer.alloc(1), push), false);
  t.same(lengths, [maxBytes]);
});

t.test('an empty stream is not an image', async (t) => {
  t.same(read(Buffer.alloc(0), [1]).ending, { kind: 'nothing' });
});

t.test('an image that ends before its size has no end in the stream, and no digest', async (t) => {
  for (const [size, isWhole] of [
    [4, true],
    [5, true],
    [6, false],
  ] as const) {
    const writer = new ImageWriter(meter(), { raw: false, size });
    const pieces: Uint8Array[] = [];
    writer.data(Buffer.from('image'), (piece) => pieces.push(piece));
    writer.end((piece) => pieces.push(piece));
    const digest = { bytes: 5, sha256: sha256(Buffer.from('image')) };
    t.same(writer.digest, isWhole ? digest : undefined, `${size} bytes`);
    t.equal(pieces.length, isWhole ? 2 : 1);
  }
});

t.test('a raw writer sends the image alone', async (t) => {
  t.same(written(Buffer.from('image'), true), Buffer.from('image'));
});

t.test("version 1 has no place for anything else: an image's length is not announced", async (t) => {
  const image = Buffer.from('an image');
  const sized = Buffer.from(written(image).toString('latin1').replace('image 1\n', 'image 2 8\n'), 'latin1');
  t.equal(read(sized, [7], false).accepted, false, 'a backup refuses a header that it does not know');
  const line = Buffer.from('length 8\n');
  const behind = written(Buffer.concat([line, image]));
  t.equal(
    read(behind, [7]).image.toString(),
    'length 8\nan image',
    'it takes what follows the header for the image',
  );
  const answer = new BackupAnswer();
  answer.take(Buffer.concat([GREETING, Buffer.from('lengths understood\n')]));
  answer.take(verdictLine({ kind: 'ok', bytes: 8, sha256: sha256(image) }));
  t.equal(answer.verdict, undefined, 'a primary hears no verdict after a line that is none');
});
