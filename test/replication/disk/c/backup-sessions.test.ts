// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CSide } from './c-side.js';
import { play, type Player, SOON } from './player.js';
import { firstBytes, recordedSessions, type Session, type Step } from './sessions.js';

/** In C a write past the end is taken, and answered. */
const REFUSED_HERE = new Set(['backup-write-past-the-end']);
/** In C the process stands still until the rest comes; here the message is given up after a second. */
const GIVEN_UP_HERE = new Set(['backup-silence-after-tag', 'backup-silence-after-header']);
/** In C `done` comes before the disk has the checkpoint. */
const RECEIVED = { done: 'received' } as const;

/** A session as it goes on: what the one step has to know of another. */
interface Progress {
  readonly session: Session;
  /** The listener is closed: a new connection ends before it begins. */
  isRefused: boolean;
  second: CSide | undefined;
}

async function primaryStep(player: Player, progress: Progress, { bytes, note }: Step): Promise<void> {
  const { t, world, peer, node } = player;
  const { name } = progress.session;
  if (bytes.length > 0) {
    if (/disk that takes/.test(note)) node.host.files.stall(2.5);
    const each = /byte-at-a-time/.test(name) ? 1 : bytes.length;
    for (let at = 0; at < bytes.length; at += each) {
      await peer.send(bytes.subarray(at, at + each));
      if (each === 1) await world.run(0.004);
    }
  } else if (/second connection/.test(note)) {
    progress.second = new CSide(world, world.host('10.0.0.3'));
    t.equal(await progress.second.connect(), 0, `${name}: a second connection`);
  } else if (/TCP connection made/.test(note)) {
    const isAgain = peer.connections > 0;
    progress.isRefused = (await peer.connect()) < 0;
    t.equal(progress.isRefused, isAgain, `${name}: a connection after ${peer.connections}`);
  } else if (/RST/.test(note)) {
    peer.reset();
  } else if (/half-closes/.test(note)) {
    peer.halfClose();
  } else if (/end of stream|killed/.test(note)) {
    peer.close();
  }
}

async function backupStep(player: Player, progress: Progress, one: Step, what: string): Promise<void> {
  const { t, world, peer } = player;
  const { bytes, note } = one;
  const { name } = progress.session;
  if (bytes.length > 0) {
    const expected = REFUSED_HERE.has(name) || GIVEN_UP_HERE.has(name) ? '' : bytes.toString('latin1');
    t.equal((await peer.taken(bytes.length)).toString('latin1'), expected, what);
  } else if (/second connection/.test(note)) {
    const { second } = progress;
    t.ok(await second?.until(() => second.come.length === 0 && second.end === 'end of stream', SOON), what);
  } else if (/new connection/.test(note)) {
    t.ok((await peer.connect()) < 0, what);
  } else if (/end of stream|RST/.test(note)) {
    const isOver = await peer.until(() => peer.come.length === 0 && peer.end !== undefined, 1.5);
    t.ok(progress.isRefused || isOver, what);
  } else if (/nothing within/.test(note)) {
    await world.run(Number(/within ([\d.]+) s/.exec(note)?.[1]));
    t.equal(peer.come.length, 0, what);
  }
}

async function guestStep(player: Player, { text, note }: Step, what: string): Promise<void> {
  const { t, world } = player;
  const [, failover] = /at the backup[^:]*: failover: (w .*)$/.exec(note) ?? [];
  const [, completions] = /completions(?: at the backup)?: (.*)$/.exec(note) ?? [];
  if (text !== '' || failover !== undefined) {
    if (/after about 3.5 s/.test(note)) await world.run(3.5);
    player.request(text || (failover as string));
    await world.run(SOON);
  } else if (completions) {
    // A read is never EBUSY here: what is not on the disk yet is laid over it.
    const expected = completions.split(' | ').map((one) => one.replace(/(read .*) = -16/, '$1 = 0'));
    t.same(player.completions.slice().sort(), expected.sort(), what);
  }
}

async function step(player: Player, progress: Progress, one: Step): Promise<void> {
  const { t, peer, fifo, world } = player;
  const { from, text, note } = one;
  const { name } = progress.session;
  const what = `${name}: ${from} ${text.slice(0, 8).replace(/\W/g, '.')} ${note.slice(0, 60)}`;
  if (from === 'primary') await primaryStep(player, progress, one);
  else if (from === 'backup') await backupStep(player, progress, one, what);
  else if (from === 'guest') await guestStep(player, one, what);
  else if (from === 'fifo-in') fifo.command(text);
  else if (from === 'fifo-out' && text !== '') {
    await peer.until(() => fifo.answers.length >= text.length);
    t.equal(fifo.take(text.length), text, what);
  } else if (from === 'fifo-out') {
    await world.run(3);
  } else if (!/primary disk/.test(note)) {
    await world.run(0.1);
    for (const { sector, byte } of firstBytes(note)) {
      t.equal(await player.byteAt(sector), REFUSED_HERE.has(name) ? 0xdd : byte, `${what}: ${sector}`);
    }
  }
}

/** What is about the primary's end of it. */
function isHere({ from, note }: Step): boolean {
  return !/at the primary/.test(note) && !(from === 'backup' && /stalls|goes on/.test(note));
}

for (const session of recordedSessions().filter(({ role }) => role !== 'primary')) {
  const isSlow = session.steps.some(({ note }) => /disk that takes/.test(note));
  t.test(`a backup does in the C driver's place what it did in ${session.name}`, async (t) => {
    const run = async (player: Player): Promise<void> => {
      const progress: Progress = { session, isRefused: false, second: undefined };
      const hasFifo = session.role === 'backup';
      for (const one of session.steps) {
        if (isHere(one) && (hasFifo || !one.from.startsWith('fifo'))) await step(player, progress, one);
      }
    };
    await play(t, session, 'backup', run, isSlow ? RECEIVED : {});
  });
}
