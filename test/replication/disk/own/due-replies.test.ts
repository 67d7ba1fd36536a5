// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { DueReplies } from '../../../../src/replication/disk/own/due-replies.js';
import { ProtocolError } from '../../../../src/replication/disk/wire/frame.js';

function due(...commits: number[]): DueReplies {
  const replies = new DueReplies();
  for (const epoch of commits) replies.sentCommit(epoch);
  return replies;
}

t.test('a done confirms a commit that was sent, and those before it, once', async (t) => {
  const replies = due(2, 3, 5);
  t.throws(() => replies.done(4), new ProtocolError('done names epoch 4, expected 2 or 3 or 5'));
  t.equal(replies.done(3), 3);
  t.throws(() => replies.done(3), new ProtocolError('done names epoch 3, expected 5'));
  t.equal(replies.done(5), 5);
  t.throws(() => replies.done(5), new ProtocolError('done names epoch 5, expected none'));
});

t.test('commits from the one that failed on get no done, those before it do', async (t) => {
  const replies = due(2, 3, 5);
  replies.failed(3);
  for (const epoch of [3, 5])
    t.throws(() => replies.done(epoch), new ProtocolError(`done names epoch ${epoch}, expected 2`));
  t.equal(replies.done(2), 2);
});

t.test('a progress names sync data that were sent, and never goes back', async (t) => {
  const replies = due();
  t.throws(
    () => replies.progress(0),
    new ProtocolError('progress names frame 0, but no sync data were sent'),
  );
  t.equal(replies.sentData(7), 7);
  for (const sequence of [0, 4, 4, 7]) t.equal(replies.progress(sequence), sequence);
  t.throws(() => replies.progress(6), new ProtocolError('progress names frame 6, expected 7 to 7'));
  t.equal(replies.sentData(9), 9);
  t.throws(() => replies.progress(10), new ProtocolError('progress names frame 10, expected 7 to 9'));
  t.equal(replies.progress(9), 9);
});

t.test('a compare gets one reply', async (t) => {
  const replies = due();
  for (const sequence of [3, 4]) t.equal(replies.asked(sequence), sequence);
  t.equal(replies.compared(4), 4);
  for (const sequence of [4, 5]) {
    const why = `compared names frame ${sequence}, which is not a compare that waits for its reply`;
    t.throws(() => replies.compared(sequence), new ProtocolError(why));
  }
  t.equal(replies.compared(3), 3);
});
