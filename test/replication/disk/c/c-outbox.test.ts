// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';
import { COutbox } from '../../../../src/replication/disk/c/c-outbox.js';
import { StreamPair } from './stream-pair.js';

/** Zeroes that are more than the stream and the system take at a time: 1 MiB. */
const MANY = 2048;
/** A message of eight sectors. */
const MESSAGE_BYTES = 16 + 8 * 512;
/** What the stream is given at most: less than 256 KiB wait in it before the last messages, which are eight. */
const MAX_IN_STREAM = (256 << 10) + 8 * MESSAGE_BYTES;

async function outbox() {
  const pair = await StreamPair.open();
  const made = new COutbox(pair.stream);
  pair.stream.events = { bytes: () => {}, drained: () => made.pump(), ended: () => {} };
  return { world: pair.world, far: pair.far, stream: pair.stream, outbox: made };
}

t.test('messages are sent at once while nothing waits', async (t) => {
  const { far, outbox: made } = await outbox();
  made.send(Buffer.from('creq', 'latin1'));
  t.equal(made.queuedBytes, 0);
  t.notOk(made.isSending);
  t.equal((await far.taken(4)).toString('latin1'), 'creq');
});

t.test('zeroes become messages as the stream drains, and what is sent later comes after them', async (t) => {
  const { far, stream, outbox: made } = await outbox();
  made.zero(100, MANY);
  t.ok(stream.queuedBytes >= 256 << 10, 'as many as the stream may have');
  t.ok(stream.queuedBytes < MAX_IN_STREAM, `${stream.queuedBytes} bytes in the stream`);
  const waiting = made.queuedBytes - stream.queuedBytes;
  t.equal(waiting % (64 * 512), 0, 'the sectors that are not messages yet');
  t.ok(waiting > MANY * 256);
  t.ok(made.isSending);
  const word = Buffer.from('creq', 'latin1');
  made.send(word);
  t.equal(made.queuedBytes - stream.queuedBytes, waiting + 4);
  word.fill(0);
  made.zero(0, 3);
  t.equal(made.queuedBytes - stream.queuedBytes, waiting + 4 + 3 * 512);
  const expected = Buffer.concat([
    writeMessages(100, MANY),
    Buffer.from('creq', 'latin1'),
    writeMessages(0, 3),
  ]);
  t.ok((await far.taken(expected.length, 10)).equals(expected));
  t.equal(made.queuedBytes, 0);
  t.notOk(made.isSending);
});

t.test('what is sent after a gate is kept back until the gate is opened', async (t) => {
  const { far, world, outbox: made } = await outbox();
  const open = made.gate();
  made.send(Buffer.from('creq', 'latin1'));
  made.zero(0, 1);
  await world.run(1);
  t.equal(far.come.length, 0);
  t.ok(made.queuedBytes > 0);
  t.notOk(made.isSending, 'it does not wait for the system');
  open();
  const expected = Buffer.concat([Buffer.from('creq', 'latin1'), writeMessages(0, 1)]);
  t.ok((await far.taken(expected.length)).equals(expected));
  t.equal(made.queuedBytes, 0);
});

t.test('what waits for the system is being sent, down to the last byte', async (t) => {
  const { far, world, outbox: made } = await outbox();
  // The system takes 64 KiB at once.
  made.send(new Uint8Array((64 << 10) + 1));
  t.equal(made.queuedBytes, 1);
  t.ok(made.isSending);
  await far.taken((64 << 10) + 1);
  await world.run(0.1);
  t.notOk(made.isSending);
  const gates = [made.gate(), made.gate()];
  made.zero(0, MANY);
  for (const open of gates) {
    t.notOk(made.isSending);
    open();
  }
  t.ok(made.isSending);
});

t.test('a gate after zeroes that wait keeps back what is after it, not the zeroes', async (t) => {
  const { far, world, outbox: made } = await outbox();
  made.zero(0, MANY);
  const openFirst = made.gate();
  made.send(Buffer.from('one.', 'latin1'));
  const openSecond = made.gate();
  made.send(Buffer.from('two.', 'latin1'));
  const zeroes = writeMessages(0, MANY);
  t.ok((await far.taken(zeroes.length, 10)).equals(Buffer.from(zeroes)));
  await world.run(1);
  t.equal(far.come.length, 0);
  openSecond();
  await world.run(1);
  t.equal(far.come.length, 0, 'the first gate is closed');
  t.notOk(made.isSending);
  openFirst();
  t.equal((await far.taken(8)).toString('latin1'), 'one.two.');
});

t.test('a gate that is opened before its turn keeps nothing back', async (t) => {
  const { far, outbox: made } = await outbox();
  made.zero(0, MANY);
  made.gate()();
  made.send(Buffer.from('creq', 'latin1'));
  const zeroes = writeMessages(0, MANY);
  await far.taken(zeroes.length, 10);
  t.equal((await far.taken(4)).toString('latin1'), 'creq');
  t.equal(made.queuedBytes, 0);
});

t.test('a stream that is over is given nothing more', async (t) => {
  const { stream, outbox: made } = await outbox();
  stream.close();
  made.zero(0, MANY);
  t.equal(stream.queuedBytes, 0);
  t.equal(made.queuedBytes, MANY * 512);
});
