// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A connection from its first byte until both sides know each other.

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { DEFAULT_REPLICATION_OPTIONS } from '../../../src/replication/disk/options.js';
import { meetPeer, turnAway } from '../../../src/replication/disk/peer-session.js';
import { encodeHello } from '../../../src/replication/disk/own/hello.js';
import { frameHeader, numbersBody } from '../../../src/replication/disk/wire/frame.js';
import type { CConnection } from '../../../src/replication/disk/sessions.js';
import { PROBE } from '../../../src/replication/disk/wire/probe.js';
import { SimulatedWorld } from '../../../src/testing/index.js';
import { CSide } from './c/c-side.js';
import { connection } from './connection.js';
import { HandPeer, PEER_ADDRESS, standing } from './own/hand-peer.js';
import { reasonOf } from './own/one-side.js';
import { SECTORS, SideNode } from './world.js';

const OPTIONS = { ...DEFAULT_REPLICATION_OPTIONS, address: '10.0.0.2:9000', directory: '/srv/state' };

/** The accepting end of a connection, which meets whoever writes to the other one. */
async function meeting(more: { connected?: boolean; peer?: 'auto' | 'own' | 'c' } = {}) {
  const { world, near, far, come } = await connection();
  const before = far.host.leftovers().filter((line) => /timer/.test(line)).length;
  const log: string[] = [];
  const found: CConnection[] = [];
  const leave = meetPeer(far.fd, {
    host: far.timers,
    options: OPTIONS,
    sectors: SECTORS,
    grains: SECTORS / 128,
    connected: false,
    peer: 'auto',
    ...more,
    hello: () => ({ version: 'of a test', standing: standing('backup') }),
    map: () => [],
    onOwn: (_, verdict, peer) => log.push(`own: ${verdict.kind} with ${peer.version}`),
    onC: (its) => {
      log.push(`c: ${Buffer.from(its.rest).toString('latin1')}`);
      found.push(its);
    },
    onLost: (reason, code) => log.push(`${code}: ${reason}`),
  });
  const send = (text: string): number => near.host.posix.write(near.fd, Buffer.from(text, 'latin1'));
  const timers = (): number => far.host.leftovers().filter((line) => /timer/.test(line)).length - before;
  return { world, log, found, leave, send, timers, come: () => come(near).toString('latin1'), far };
}

t.test('a C primary has as long as it likes, before and after its first tag', async (t) => {
  const { world, log, found, send, timers } = await meeting();
  await world.run(30);
  send('creq');
  await world.run(30);
  t.same(log, ['c: creq']);
  t.equal(timers(), 0);
  t.match(found[0], { sectors: SECTORS, options: OPTIONS });
});

t.test('a side that is known to be a C driver is met at once, without a word', async (t) => {
  for (const connected of [true, false]) {
    const { world, log, timers, come } = await meeting({ connected, peer: 'c' });
    t.same(log, ['c: ']);
    await world.run(10);
    t.same([log.length, timers(), come()], [1, 0, '']);
  }
});

t.test('a C backup that has replied to the probe has no time limit any more', async (t) => {
  const { world, log, send, timers, come } = await meeting({ connected: true });
  await world.run(4.9);
  t.equal(come(), PROBE.toString('latin1'));
  send('done');
  await world.run(20);
  t.same([log, timers()], [['c: '], 0]);
});

t.test('one that never replies has the peer timeout', async (t) => {
  const { world, log, timers } = await meeting({ connected: true });
  await world.run(4.9);
  t.same(log, []);
  await world.run(0.2);
  t.same([log, timers()], [['silent: the peer does not complete the handshake'], 0]);
});

t.test('where an own peer is expected, one that sends nothing has the peer timeout', async (t) => {
  const { world, log, timers } = await meeting({ peer: 'own' });
  await world.run(4.9);
  t.same(log, []);
  await world.run(0.2);
  t.same([log, timers()], [['silent: the peer does not complete the handshake'], 0]);
});

t.test('an own peer has a second for its probe, and then the peer timeout for the rest', async (t) => {
  const { world, log, send, come, timers } = await meeting();
  send('tdts');
  await world.run(0.7);
  send('rp01');
  await world.run(0.2);
  t.same(log, []);
  send('creq');
  await world.run(4.8);
  t.same(log, []);
  t.equal(come().slice(0, 4), 'rp01');
  await world.run(0.3);
  t.same([log, timers()], [['silent: the peer does not complete the handshake'], 0]);
});

t.test('one that does not end its probe within that is lost, however it goes on', async (t) => {
  const { world, log, send } = await meeting();
  for (const part of ['t', 'd', 't', 's', 'r']) {
    send(part);
    await world.run(0.24);
  }
  t.same(log, ['silent: the peer does not complete the handshake']);
});

t.test('a connection that is given up reports nothing, and leaves nothing', async (t) => {
  for (const text of ['', 'td', PROBE.toString('latin1')]) {
    const { world, log, leave, send, timers, far } = await meeting();
    send(text);
    await world.run(0.1);
    leave();
    await world.run(10);
    t.same([log, timers()], [[], 0]);
    t.equal(far.host.posix.close(far.fd), -errno.EBADF);
  }
});

/** The accepting end, which rejects whoever connects. */
async function rejecting() {
  const { world, near, far, come } = await connection();
  const before = far.host.leftovers().length;
  const endings = new Set<() => void>();
  turnAway(far.fd, far.timers, OPTIONS, endings, () => false);
  const send = (bytes: Uint8Array): number => near.host.posix.write(near.fd, bytes);
  return { world, endings, send, before, far, come: () => come(near).toString('latin1') };
}

t.test('an own peer that is rejected hears why; then nothing is left', async (t) => {
  const { world, endings, send, come, far, before } = await rejecting();
  t.equal(endings.size, 1);
  send(PROBE);
  await world.run(0.1);
  t.match(come(), /^rp01.*busy.*there is a connection already/s);
  t.equal(endings.size, 0);
  t.ok(far.host.leftovers().length < before, 'its descriptor is closed');
  t.equal(far.host.posix.close(far.fd), -errno.EBADF);
});

t.test('any other is closed once it says what it is, or after a second', async (t) => {
  for (const [text, seconds] of [
    ['creq', 0.1],
    ['', 1.1],
    ['td', 1.1],
  ] as const) {
    const { world, endings, send, come, far } = await rejecting();
    send(Buffer.from(text));
    if (seconds > 1) {
      await world.run(0.9);
      t.equal(endings.size, 1);
    }
    await world.run(seconds > 1 ? 0.2 : 0.1);
    t.same([endings.size, come()], [0, '']);
    t.equal(far.host.posix.close(far.fd), -errno.EBADF);
  }
});

t.test('one whose rejection is ended is closed', async (t) => {
  const { world, endings, far } = await rejecting();
  for (const end of endings) end();
  t.equal(endings.size, 0);
  t.equal(far.host.posix.close(far.fd), -errno.EBADF);
  await world.run(2);
});

/** Calls `meet` with the first timer refused, then the second, and so on, until none is; how many were. */
async function withoutTimers(
  meet: (nth: number) => Promise<{ side: SideNode; failed: number }>,
): Promise<number> {
  for (let nth = 1; ; nth++) {
    const { side, failed } = await meet(nth);
    if (!side.isUp) throw new Error(`the process is gone without timer ${nth}`);
    if (failed === 0) return nth - 1;
  }
}

const HELLO = encodeHello({ version: 'of a test', standing: standing('backup') });
/** What an own backup replies to the probe. */
const OWN_BACKUP = Buffer.concat([Buffer.from('rp01'), frameHeader('hello', 0, [HELLO]), HELLO]);
const NO_TIMER = 'cannot get a timer descriptor: EMFILE';

t.test('a backup without descriptors for a connection loses that, and nothing else', async (t) => {
  for (const kind of ['own', 'c'] as const) {
    const refused = await withoutTimers(async (nth) => {
      const world = new SimulatedWorld({ seed: 1 });
      const side = new SideNode(world, PEER_ADDRESS, {});
      await world.complete(side.opened);
      const before = side.host.leftovers().filter((line) => /timer/.test(line));
      const fault = side.host.failCalls({ calls: ['timerfd'], nth, error: errno.EMFILE });
      const meet = async (from: string): Promise<HandPeer> => {
        const peer = await HandPeer.connect(world, from);
        if (kind === 'c') peer.raw(Buffer.from('creq'));
        else {
          peer.raw(PROBE);
          peer.hello(standing('primary'));
          peer.send('syncBegin', Buffer.alloc(8, 1), numbersBody(SECTORS / 128, 128, 1));
        }
        await world.run(0.5);
        return peer;
      };
      const peer = await meet('10.0.0.66');
      if (fault.failed > 0) {
        t.not(peer.end, undefined, `${kind}: timer ${nth}`);
        t.equal(reasonOf(side), NO_TIMER);
        const after = side.host.leftovers().filter((line) => /timer/.test(line));
        t.same(after.length, before.length, 'nothing is left of it');
        fault.cancel();
        await meet('10.0.0.67');
        t.equal(side.engine.status().peerKind, kind, 'the next one is met');
      }
      return { side, failed: fault.failed };
    });
    t.ok(refused >= 3, `${refused} timers of ${kind}`);
  }
});

t.test('a primary tries again after a second', async (t) => {
  for (const kind of ['own', 'c'] as const) {
    const refused = await withoutTimers(async (nth) => {
      const world = new SimulatedWorld({ seed: 1 });
      const listening = new CSide(world, world.host(PEER_ADDRESS));
      const side = new SideNode(world, '10.0.0.1', {});
      await world.complete(side.opened);
      const fault = side.host.failCalls({ calls: ['timerfd'], nth, error: errno.EMFILE });
      listening.listen();
      for (let attempt = 0; attempt < 2; attempt++) {
        t.ok(await listening.until(() => listening.accept(), 1.5));
        await listening.send(kind === 'own' ? OWN_BACKUP : Buffer.from('done'));
        await world.run(0.5);
        if (side.engine.status().peerKind === kind) break;
        t.equal(reasonOf(side), NO_TIMER);
      }
      t.equal(side.engine.status().peerKind, kind);
      return { side, failed: fault.failed };
    });
    t.equal(refused, kind === 'own' ? 3 : 4);
  }
});

t.test('one that cannot be rejected with a reason is closed', async (t) => {
  const refused = await withoutTimers(async (nth) => {
    const world = new SimulatedWorld({ seed: 1 });
    const side = new SideNode(world, PEER_ADDRESS, {});
    await world.complete(side.opened);
    const first = await HandPeer.connect(world);
    first.raw(PROBE);
    await world.run(0.1);
    const fault = side.host.failCalls({ calls: ['timerfd'], nth, error: errno.EMFILE });
    const second = await HandPeer.connect(world, '10.0.0.67');
    second.raw(PROBE);
    await world.run(0.5);
    t.not(second.end, undefined);
    t.equal(first.end, undefined);
    return { side, failed: fault.failed };
  });
  t.equal(refused, 3);
});

t.test('a disk without descriptors for its own timers does not open', async (t) => {
  for (let nth = 1; ; nth++) {
    const world = new SimulatedWorld({ seed: 1 });
    const host = world.host(PEER_ADDRESS);
    const fault = host.failCalls({ calls: ['timerfd'], nth, error: errno.EMFILE });
    const side = new SideNode(world, PEER_ADDRESS, {});
    const result = await world.complete(side.opened);
    t.equal(result, fault.failed > 0 ? -errno.EMFILE : 0);
    if (fault.failed === 0) break;
    t.same(
      host.leftovers().filter((line) => /timer|tcp/.test(line)),
      [],
    );
  }
});
