// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Inbound } from '../../../src/posix/node/inbound.js';

const MARK = 100;

/** The receiving side of a stream that the test feeds, whose own mark is that of one byte. */
function inbound(stream: Readable = new PassThrough({ highWaterMark: 1 })) {
  const seen = { ends: 0, changes: 0 };
  const side = new Inbound(
    stream,
    MARK,
    () => void seen.ends++,
    () => void seen.changes++,
  );
  const feed = async (text: string): Promise<void> => {
    (stream as PassThrough).write(text);
    await setImmediate();
  };
  const read = (length: number): string => {
    const buffer = Buffer.alloc(length, '.');
    const count = side.read(buffer);
    if (!/^\.*$/.test(String(buffer.subarray(count)))) throw new Error('it wrote beyond its count');
    return String(buffer.subarray(0, count));
  };
  return { stream: stream as PassThrough, side, seen, feed, read };
}

t.test('what is waited for comes in order, in whatever pieces it is read', async (t) => {
  const { side, feed, read, seen, stream } = inbound();
  t.equal(side.ready, false);
  side.want(true);
  t.equal(side.ready, false);
  await feed('abc');
  await feed('defg');
  await feed('h');
  t.equal(side.ready, true);
  t.ok(seen.changes >= 3);
  t.equal(read(2), 'ab');
  t.equal(read(4), 'cdef');
  t.equal(String(side.take()), 'g', 'the rest of a piece');
  t.equal(String(side.take()), 'h');
  t.equal(side.take(), undefined);
  t.equal(read(5), '');
  t.equal(side.ready, false);
  await feed('ij');
  t.equal(read(9), 'ij');
  t.equal(side.ended, false);
  stream.end();
  await setImmediate();
  t.equal(side.ended, true);
  t.equal(side.ready, true, 'the end is something to read');
  t.equal(seen.ends, 1);
});

t.test('one byte is enough to be ready, and its rest is what was not read', async (t) => {
  const { side, feed, read } = inbound();
  side.want(true);
  await feed('a');
  t.equal(side.ready, true);
  t.equal(read(1), 'a');
  await feed('bcd');
  t.equal(read(1), 'b');
  t.equal(String(side.take()), 'cd');
  await feed('ef');
  t.equal(String(side.take()), 'ef');
});

t.test('at the mark the stream is paused, and at half of it it flows again', async (t) => {
  const { side, feed, read, stream } = inbound();
  side.want(true);
  await feed('x'.repeat(MARK - 1));
  t.equal(stream.isPaused(), false);
  await feed('y');
  t.equal(stream.isPaused(), true);
  t.equal(read(MARK / 2 - 1).length, MARK / 2 - 1);
  side.want(true);
  t.equal(stream.isPaused(), true, 'one byte more than half');
  read(1);
  t.equal(stream.isPaused(), false);
  await feed('z'.repeat(MARK));
  t.equal(stream.isPaused(), true);
  t.equal(side.take()?.length, MARK / 2 - 1, 'the rest of the first piece');
  t.equal(stream.isPaused(), true);
  t.equal(side.take()?.length, 1);
  t.equal(side.take()?.length, MARK);
  t.equal(stream.isPaused(), false);
  for (const bytes of [MARK / 2, MARK / 2]) await feed('x'.repeat(bytes));
  t.equal(stream.isPaused(), true);
  t.equal(side.take()?.length, MARK / 2);
  t.equal(stream.isPaused(), false, 'half of it is left');
});

t.test('a reader that waits no longer does not make the stream flow', async (t) => {
  const { side, feed, read, stream } = inbound();
  side.want(true);
  for (const bytes of [MARK / 2, MARK / 2]) await feed('x'.repeat(bytes));
  side.want(false);
  t.equal(side.take()?.length, MARK / 2);
  t.equal(stream.isPaused(), true);
  t.equal(read(9).length, 9);
  t.equal(stream.isPaused(), true);
});

t.test('what nobody waits for stays in the stream, and is read from there', async (t) => {
  const { side, feed, read, stream, seen } = inbound();
  side.want(true);
  side.want(false);
  await feed('abcdef');
  t.equal(stream.isPaused(), true);
  t.equal(stream.readableLength, 6);
  t.equal(side.ready, true);
  t.equal(seen.changes, 1);
  t.equal(read(4), 'abcd');
  t.equal(read(4), 'ef');
  await feed('gh');
  t.equal(String(side.take()), 'gh');
  await feed('ij');
  side.want(true);
  await setImmediate();
  t.equal(stream.isPaused(), false);
  t.equal(read(9), 'ij');
});

t.test('before anybody reads or waits, the stream is not touched', async (t) => {
  const { side, feed, stream, read } = inbound();
  await feed('abc');
  const untouched = new PassThrough();
  for (const name of ['end', 'data', 'readable'])
    t.equal(stream.listenerCount(name), untouched.listenerCount(name), name);
  t.equal(side.ready, false);
  t.equal(read(9), 'abc');
});

t.test('what was read ahead is put back, less what was taken, and nobody listens any more', async (t) => {
  const { side, feed, read, stream } = inbound();
  const listeners = (): number[] => ['end', 'data', 'readable'].map((name) => stream.listenerCount(name));
  const before = listeners();
  side.want(true);
  for (const piece of ['abc', 'def', 'ghi']) await feed(piece);
  t.equal(read(4), 'abcd');
  t.same(side.detach(), []);
  t.same(listeners(), before);
  t.equal(side.ready, false);
  // Without a length, from Node 26 on a read returns the first piece only.
  t.equal(String(stream.read(5)), 'efghi');
  await feed('kept');
  t.equal(stream.readableLength, 4, 'nothing is lost while nobody reads');
  t.equal(String(stream.read()), 'kept');
  side.want(true);
  await feed('anew');
  t.equal(read(9), 'anew');
  t.same(side.detach(), []);
  const flowed: string[] = [];
  stream.on('data', (chunk: Buffer) => flowed.push(String(chunk)));
  await feed('more');
  t.same(flowed, ['more'], 'the stream flows for its next user');
});

t.test('what an ended stream cannot take back is returned, less what was taken', async (t) => {
  const { side, read, stream } = inbound();
  side.want(true);
  stream.write('abc');
  stream.end('def');
  while (!side.ended) await setImmediate();
  t.equal(read(1), 'a');
  t.same(side.detach().map(String), ['bc', 'def']);
  t.equal(read(9), '', 'they are its caller’s');
});

t.test('an end that came before anybody read is the end', async (t) => {
  const stream = Readable.from([]);
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve));
  const { side, read, seen } = inbound(stream);
  t.equal(read(9), '');
  t.equal(side.ended, true);
  t.equal(seen.ends, 1);
  const destroyed = new PassThrough();
  destroyed.destroy();
  const other = inbound(destroyed);
  t.equal(other.read(9), '');
  t.equal(other.side.ended, true);
  t.equal(other.seen.ends, 0, 'its end was not reached');
});

t.test('a stream of text gives its bytes', async (t) => {
  for (const encoding of ['utf8', 'latin1', 'hex'] as const) {
    const { side, feed, stream, read } = inbound();
    stream.setEncoding(encoding);
    side.want(true);
    await feed('käse');
    t.equal(read(9), 'käse', encoding);
  }
});

t.test(
  'where somebody else listens for `readable`, bytes wait in the stream, and the end is met',
  async (t) => {
    const { side, feed, read, stream, seen } = inbound();
    stream.on('readable', () => {});
    side.want(true);
    await feed('abc');
    t.equal(side.ready, true);
    t.ok(seen.changes > 0);
    t.equal(read(2), 'ab');
    t.equal(String(side.take()), 'c');
    stream.end();
    while (!side.ended) await setImmediate();
    t.equal(seen.ends, 1);
    side.detach();
    t.equal(stream.listenerCount('readable'), 1, 'the other one’s');
  },
);

t.test('what is discarded is forgotten; what is finished is at its end', async (t) => {
  const { side, feed, read, stream } = inbound();
  side.want(true);
  await feed('abc');
  side.discard();
  t.equal(side.ready, false);
  t.equal(stream.listenerCount('data'), 0);
  const other = inbound();
  other.side.finish();
  t.equal(other.side.ready, true);
  t.equal(other.side.ended, true);
  t.equal(other.read(1), '');
  t.equal(read(0), '');
});
