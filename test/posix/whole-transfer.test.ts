// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import type { FileDone } from '../../src/posix/files.js';
import { readExactly, readWhole, writeWhole } from '../../src/posix/whole-transfer.js';

/** Moves as many bytes as each result says, at most, and writes down what it was asked. */
function files(...results: number[]) {
  const asked: (readonly [length: number, position: number])[] = [];
  const move = (_fd: number, bytes: Uint8Array, position: number, done: FileDone): void => {
    asked.push([bytes.length, position]);
    const result = results.shift() ?? 0;
    bytes.fill(7, 0, Math.max(0, result));
    done(result);
  };
  return { asked, read: move, write: move };
}

/** What it ends with, as far as it has ended. */
function ended(start: (done: FileDone) => void): number | undefined {
  let result: number | undefined;
  start((value) => (result = value));
  return result;
}

t.test('adjacent parts are joined', async (t) => {
  for (const call of [readWhole, readExactly, writeWhole]) {
    const short = files(3, 1, 6);
    const bytes = Buffer.alloc(10);
    t.equal(
      ended((done) => call(short, 5, bytes, 100, done)),
      0,
    );
    t.same(short.asked, [
      [10, 100],
      [7, 103],
      [6, 104],
    ]);
    t.ok(bytes.equals(Buffer.alloc(10, 7)));
  }
});

t.test('an error ends it', async (t) => {
  for (const call of [readWhole, readExactly, writeWhole]) {
    const failing = files(3, -errno.ENOSPC, 7);
    t.equal(
      ended((done) => call(failing, 5, Buffer.alloc(10), 0, done)),
      -errno.ENOSPC,
    );
    t.equal(failing.asked.length, 2);
  }
});

t.test('beyond the end of a file zeroes follow, or it is an error', async (t) => {
  const bytes = Buffer.alloc(10, 9);
  let shorts = 0;
  t.equal(
    ended((done) => readWhole(files(3, 0), 5, bytes, 0, done, () => shorts++)),
    0,
  );
  t.equal(shorts, 1);
  t.ok(bytes.equals(Buffer.from([7, 7, 7, 0, 0, 0, 0, 0, 0, 0])));
  for (const call of [readExactly, writeWhole]) {
    t.equal(
      ended((done) => call(files(3, 0), 5, Buffer.alloc(10), 0, done)),
      -errno.EIO,
    );
  }
});
