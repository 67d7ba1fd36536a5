// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// How a connection is closed that is given up; what the peer sees then is in test/posix/node/stream-socket.test.ts.

import t, { type Test } from 'tap';
import { NodePosix, type Posix } from '../../src/posix/index.js';
import { abortConnection } from '../../src/server/abort-connection.js';

const FD = 7;

/** What is called for a connection with such calls. */
function callsOf(
  t: Test,
  calls: { readonly unsent: Posix['unsent'] | undefined; readonly abort?: undefined },
): string[] {
  const made: string[] = [];
  const note = (name: string) => (fd: number) => {
    made.push(`${name} ${fd}`);
    return 0;
  };
  const posix: Posix = Object.assign(new NodePosix(), {
    close: note('close'),
    abort: note('abort'),
    ...calls,
  });
  t.equal(abortConnection(posix, FD), 0);
  return made;
}

t.test('a connection with bytes that are still to be sent, or may have some, is reset', async (t) => {
  t.same(callsOf(t, { unsent: () => 1 }), ['abort 7']);
  t.same(callsOf(t, { unsent: undefined }), ['abort 7']);
});

t.test('one with nothing to be sent is closed, and so is any where there are no resets', async (t) => {
  t.same(callsOf(t, { unsent: () => 0 }), ['close 7']);
  t.same(callsOf(t, { unsent: () => 1, abort: undefined }), ['close 7']);
});
