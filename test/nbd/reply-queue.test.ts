// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ReplyQueue } from '../../src/nbd/reply-queue.js';
import { replyFormats } from '../../src/nbd/replies.js';
import type { NbdRequest } from '../../src/nbd/requests.js';
import type { Sender } from '../../src/nbd/sender.js';

interface Queued {
  readonly bytes: Uint8Array;
  readonly sent: (() => void) | undefined;
  readonly dropped: (() => void) | undefined;
}

const REQUEST: NbdRequest = {
  flags: 0,
  command: 0,
  cookie: { high: 0, low: 7 },
  place: { high: 0, low: 0 },
  offset: 0,
  length: 2048,
  payloadBytes: 0,
};

/** Replies whose pieces the test sends or drops, and all that is heard of them. */
function replies() {
  const queued: Queued[] = [];
  const heard: string[] = [];
  const sender = {
    queue: (bytes: Uint8Array, sent?: () => void, dropped?: () => void) =>
      void queued.push({ bytes, sent, dropped }),
  } as Sender;
  const queue = new ReplyQueue({
    format: replyFormats.structured,
    sender,
    giveData: (data) => heard.push(`give ${data.length}`),
    onQueued: () => heard.push('queued'),
    onSent: (bytes) => heard.push(`sent ${bytes}`),
  });
  return { queue, queued, heard };
}

t.test(
  'data is being sent until it is sent, and is given back before its reply counts as sent',
  async (t) => {
    const { queue, queued, heard } = replies();
    t.equal(queue.isSendingData, false);
    queue.data(REQUEST, Buffer.alloc(2048));
    t.equal(queue.isSendingData, true);
    t.same(heard.splice(0), ['queued']);
    t.equal(queued[0]?.sent, undefined, 'the header is waited for by nobody');
    queued[1]?.sent?.();
    t.same(heard, ['give 2048', 'sent 2048']);
    t.equal(queue.isSendingData, false);
  },
);

t.test('data that is dropped is given back, and its reply is not sent', async (t) => {
  const { queue, queued, heard } = replies();
  queue.data(REQUEST, Buffer.alloc(2048));
  queued[1]?.dropped?.();
  t.same(heard, ['queued', 'give 2048']);
  t.equal(queue.isSendingData, false);
});

t.test('a reply in pieces is queued at once, and sent with the last of them', async (t) => {
  const { queue, queued, heard } = replies();
  const pieces = [
    { sector: 0, sectors: 1, isHole: false, data: Buffer.alloc(512) },
    { sector: 1, sectors: 2, isHole: true },
    { sector: 3, sectors: 1, isHole: false, data: Buffer.alloc(512) },
  ];
  queue.pieces(REQUEST, pieces, 1024);
  t.same(heard.splice(0), ['queued']);
  t.same(
    queued.map(({ bytes }) => bytes.length),
    [28, 512, 32, 28, 512],
  );
  for (const { sent } of queued.slice(0, 4)) sent?.();
  t.same(heard.splice(0), ['give 512']);
  t.equal(queue.isSendingData, true);
  queued[4]?.sent?.();
  t.same(heard, ['give 512', 'sent 1024']);
  t.equal(queue.isSendingData, false);
  queue.pieces(REQUEST, pieces.slice(0, 2), 512);
  queued.at(-1)?.sent?.();
  t.same(heard.slice(2), ['queued', 'sent 512'], 'also where that is a hole');
});

t.test('a result counts as sent with the bytes that came with its request', async (t) => {
  const { queue, queued, heard } = replies();
  queue.result(REQUEST, -5, 4096);
  queue.result(REQUEST, 0);
  queue.status(REQUEST, [{ length: 2048, flags: 0 }]);
  for (const { sent } of queued) sent?.();
  t.same(heard, ['queued', 'queued', 'queued', 'sent 4096', 'sent 0', 'sent 0']);
  t.equal(queue.isSendingData, false);
});
