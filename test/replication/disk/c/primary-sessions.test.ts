// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';
import { play, type Player, SOON } from './player.js';
import { firstBytes, recordedSessions, type Session, type Step } from './sessions.js';

/** In C these flushes are never answered; here each is, with `fail`. */
const UNANSWERED_IN_C = new Set([
  'primary-flush-before-connection',
  'primary-backup-dies-before-done',
  'primary-close-while-connecting',
]);

/** What the C driver sends as one message of more than 8 sectors is split here: a C backup would not take it. */
function split(bytes: Buffer): Buffer {
  const sectors = bytes.length >= 16 && bytes.toString('latin1', 0, 4) === 'wreq' ? bytes.readUInt32LE(4) : 0;
  if (sectors <= 8) return bytes;
  return Buffer.from(writeMessages(Number(bytes.readBigUInt64LE(8)), sectors, bytes.subarray(16)));
}

async function primaryStep(player: Player, { bytes, note }: Step, what: string): Promise<void> {
  const { t, peer, node, world } = player;
  if (bytes.length > 0) {
    const expected = split(bytes);
    t.ok((await peer.taken(expected.length)).equals(expected), what);
  } else if (/no connection yet/.test(note)) {
    await world.run(SOON);
    t.notOk(peer.accept(), what);
  } else if (/TCP connection made/.test(note)) {
    t.ok(await peer.until(() => peer.accept(), 3), what);
  } else if (/nothing within/.test(note)) {
    await world.run(0.6);
    t.equal(peer.come.length, 0, what);
  } else if (/end of stream|killed/.test(note)) {
    if (/killed/.test(note)) node.host.crash('end of file');
    await peer.until(() => peer.come.length === 0 && peer.end !== undefined, 2);
    t.equal(peer.end, 'end of stream', what);
  } else if (/refused so far/.test(note)) {
    await world.run(1.5);
    peer.listen();
  } else if (/does not connect again/.test(note)) {
    await world.run(2.5);
    t.equal(peer.connections, 1, what);
  } else {
    t.match(note, /time out during write/);
    t.ok(await peer.until(() => node.engine.status().state === 'unprotected', 3), what);
    // Here it would protect again by itself.
    peer.stopListening();
  }
}

async function guestStep(player: Player, { text, note }: Step, what: string): Promise<void> {
  const { t, node, world } = player;
  const [, named] = /at the primary[^:]*: (w .*)$/.exec(note) ?? [];
  const [, completions] = /completions: (.*)$/.exec(note) ?? [];
  if (text !== '' || named !== undefined) {
    player.request(text || (named as string));
  } else if (/120 requests of 128 sectors/.test(note)) {
    for (let count = 0; count < 120; count++) player.request('w 0 128 bb');
  } else if (/image closed/.test(note)) {
    t.equal(await node.call((done) => node.engine.close(done)), 0, what);
  } else if (completions !== undefined && !/at the backup/.test(note)) {
    await world.run(0.5);
    // Here the local disk is not waited for.
    if (completions !== '') t.same(player.completions.slice().sort(), completions.split(' | ').sort(), what);
  }
}

async function step(player: Player, session: Session, one: Step, next: Step | undefined): Promise<void> {
  const { t, peer, fifo, node, world } = player;
  const { from, bytes, text, note } = one;
  const what = `${session.name}: ${from} ${text.slice(0, 8).replace(/\W/g, '.')} ${note.slice(0, 60)}`;
  if (from === 'primary') {
    await primaryStep(player, one, what);
  } else if (from === 'guest') {
    await guestStep(player, one, what);
  } else if (from === 'backup') {
    if (bytes.length > 0) await peer.send(bytes);
    else if (/RST/.test(note)) peer.reset();
    else if (/dies/.test(note)) {
      peer.close();
      peer.stopListening();
    }
  } else if (from === 'fifo-in') {
    fifo.command(text);
    // Those that come together are one read.
    if (next?.from !== 'fifo-in') await world.run(0.02);
  } else if (from === 'fifo-out' && text !== '') {
    await peer.until(() => fifo.answers.length >= text.length);
    t.equal(fifo.take(text.length), text, what);
  } else if (/no answer within/.test(note)) {
    await world.run(1);
    const answered = fifo.take(8);
    t.ok(
      answered === '' || (answered === 'fail' && UNANSWERED_IN_C.has(session.name)),
      `${what}: ${answered}`,
    );
  } else if (from === 'disk' && !/backup disk/.test(note)) {
    await world.run(0.1);
    for (const { sector, byte } of firstBytes(note)) t.equal(node.image()[sector * 512], byte, what);
  }
}

for (const session of recordedSessions().filter(({ role }) => role !== 'backup')) {
  t.test(`a primary does in the C driver's place what it did in ${session.name}`, async (t) => {
    await play(t, session, 'primary', async (player) => {
      if (session.steps.some(({ note }) => /nobody listens|EHOSTUNREACH/.test(note)))
        player.peer.stopListening();
      for (const [index, one] of session.steps.entries()) {
        await step(player, session, one, session.steps[index + 1]);
      }
    });
  });
}
