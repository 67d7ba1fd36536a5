// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type FrameName, frameHeader } from '../../../../src/replication/disk/wire/frame.js';
import { FrameReader } from '../../../../src/replication/disk/wire/frame-reader.js';

const BODIES = ['', 'a', 'x'.repeat(5000), '', 'hello', 'y'.repeat(100_000), 'z'];
const name: FrameName = 'done';

function frame(sequence: number, body: string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([frameHeader(name, sequence, [bytes]), bytes]);
}
const STREAM = Buffer.concat(BODIES.map((body, sequence) => frame(sequence, body)));

function reader(isPaused: () => boolean = () => false) {
  const taken: [string, string, number][] = [];
  const input = new FrameReader(
    (its, body, sequence) => taken.push([its, Buffer.from(body).toString(), sequence]),
    isPaused,
  );
  return { taken, input };
}
const ALL = BODIES.map((body, sequence) => [name, body, sequence]);

for (const size of [1, 7, 23, 24, 25, 100, 4096, 30_000, STREAM.length]) {
  t.test(`frames are taken whole, whatever the pieces are in which they come (${size} bytes)`, async (t) => {
    const { taken, input } = reader();
    let missed = 0;
    const ends = new Set(
      BODIES.map((_, index) => BODIES.slice(0, index + 1).join('').length + 24 * (index + 1)),
    );
    for (let at = 0; at < STREAM.length; at += size) {
      const piece = Buffer.from(STREAM.subarray(at, at + size));
      input.push(piece);
      // The piece is the stream's again.
      piece.fill(0);
      const came = Math.min(at + size, STREAM.length);
      if (input.isMidMessage === ends.has(came)) missed += 1;
    }
    t.same(taken, ALL);
    t.equal(missed, 0, 'it is in the middle of one unless the bytes end with a frame');
  });
}

t.test('a frame that is not the next one, or is damaged, is refused', async (t) => {
  const { input } = reader();
  const received = { name: 'ProtocolError', message: /received frame 1, expected 0/ };
  t.throws(() => input.push(frame(1, 'a')), received);
  t.throws(() => reader().input.push(frame(1, 'a').subarray(0, 24)), received, 'by its header alone');
  const damaged = frame(0, 'abc');
  damaged[25] = 0;
  t.throws(() => reader().input.push(damaged), /damaged/);
  const { input: inPieces } = reader();
  inPieces.push(damaged.subarray(0, 25));
  t.throws(() => inPieces.push(damaged.subarray(25)), /damaged/);
});

t.test('while it is paused frames are kept', async (t) => {
  let isPaused = false;
  const { taken, input } = reader(() => isPaused);
  input.push(STREAM.subarray(0, 24));
  isPaused = true;
  input.push(STREAM.subarray(24));
  t.equal(taken.length, 1);
  t.ok(input.isMidMessage);
  isPaused = false;
  input.resume();
  t.same(taken, ALL);
  t.notOk(input.isMidMessage);
});
