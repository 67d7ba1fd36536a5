// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bytesLeft, wasClosed } from '../../../src/posix/node/standard-streams.js';

t.test('only files report the bytes after their position', async (t) => {
  const left = (path: string, read = 0): number | undefined => {
    const fd = openSync(path, 'r');
    try {
      readSync(fd, Buffer.alloc(100), 0, read, null);
      return bytesLeft(fd);
    } finally {
      closeSync(fd);
    }
  };
  const directory = t.testdir({ file: 'x'.repeat(70) });
  t.equal(left(join(directory, 'file')), 70);
  t.equal(left(join(directory, 'file'), 50), 20);
  t.equal(left(join(directory, 'file'), 100), 0);
  t.equal(left('/dev/null'), undefined);
  t.equal(left('/dev/zero'), undefined);
});

t.test('a stream was closed if /dev/null is open for both directions, and nothing else is', async (t) => {
  const answer = (path: string, flags: string): boolean => {
    const fd = openSync(path, flags);
    try {
      return wasClosed(fd);
    } finally {
      closeSync(fd);
    }
  };
  const file = join(t.testdir({ file: 'x' }), 'file');
  t.equal(answer('/dev/null', 'r+'), true);
  t.equal(answer('/dev/null', 'w'), false);
  t.equal(answer('/dev/null', 'r'), false);
  t.equal(answer('/dev/zero', 'r+'), false, 'another device');
  t.equal(answer(file, 'r+'), false);
  t.equal(wasClosed(999_999), false, 'a number that is not open');
});
