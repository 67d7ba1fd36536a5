// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What a disk makes of its connections: whom it accepts, what it records of the other side, when it tries again.

import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/index.js';
import { writeMessages } from '../../../src/replication/disk/c/c-message.js';
import type { PeerTls } from '../../../src/replication/disk/peer-tls.js';
import { encodeReason } from '../../../src/replication/disk/own/reason.js';
import type { Standing } from '../../../src/replication/disk/standing.js';
import { PROBE } from '../../../src/replication/disk/wire/probe.js';
import { numbersBody } from '../../../src/replication/disk/wire/frame.js';
import { SimulatedWorld } from '../../../src/testing/index.js';
import { CSide } from './c/c-side.js';
import { HandPeer, PEER_ADDRESS, standing } from './own/hand-peer.js';
import { acceptOwn, called, calling, reasonOf } from './own/one-side.js';
import { DIRECTORY, SECTORS, SideNode } from './world.js';

const METADATA = `${DIRECTORY}/metadata`;

/** How long a side takes from now to its next connection. */
async function secondsToNext(world: SimulatedWorld): Promise<number> {
  const since = world.nowSeconds;
  const next = await HandPeer.accept(world);
  next.close();
  return world.nowSeconds - since;
}

/** What a backup reports that has this side's present generation, with a checkpoint it has as `epoch`. */
function having({ engine }: SideNode, epoch: number, more: Partial<Standing> = {}): Standing {
  const { diskId, generation } = engine.status();
  const line = [{ generation: generation ?? '', low: epoch, high: epoch }];
  return standing('backup', { diskId, hasState: true, takesFirstSync: false, line, ...more });
}

/** The first sync of a backup that is written by hand, to its end. */
async function syncFirst(side: SideNode, peer: HandPeer): Promise<void> {
  peer.hello(standing('backup'));
  await peer.next('commit');
  peer.numbers('done', 1);
  await side.until('protected');
}

t.test('a connection that comes while a disk is being opened is met once it is open', async (t) => {
  const world = new SimulatedWorld({ seed: 1 });
  const backup = new SideNode(world, PEER_ADDRESS, {});
  backup.host.files.shape({ syncSeconds: 0.5 });
  await world.run(() => backup.host.leftovers().some((line) => /tcp listening/.test(line)));
  const peer = await HandPeer.connect(world);
  peer.raw(PROBE);
  peer.hello(standing('primary'));
  t.notOk(backup.isUp);
  t.same([peer.end, peer.tag, peer.frames], [undefined, '', []]);
  t.equal(await world.complete(backup.opened), 0);
  await peer.next('hello');
  t.match(backup.engine.status(), { peerAddress: /^10\.0\.0\.66:/, peerKind: 'own', peerVersion: 'by hand' });
  const closed: number[] = [];
  const { posix } = backup.host;
  const close = posix.close.bind(posix);
  posix.close = (fd) => {
    closed.push(fd);
    return close(fd);
  };
  t.equal(await backup.call((done) => backup.engine.close(done)), 0);
  t.equal(new Set(closed).size, closed.length, 'it is closed once');
});

for (const [code, seconds] of [
  ['lost', 1],
  ['busy', 1],
  ['refuse', 10],
  ['stale', 10],
  ['split-brain', 10],
  ['no-room', 60],
] as const) {
  t.test(`after an end with ${code} the side that connects waits ${seconds} s`, async (t) => {
    const { world, primary, peer } = await calling();
    if (code === 'lost') peer.close();
    else peer.send('refused', encodeReason(code, 'because of that'));
    await world.run(() => primary.engine.status().peerAddress === null);
    const waiting = primary.events.filter((event) => event.kind === 'resync');
    if (code === 'no-room') {
      t.match(waiting, [{ what: 'waiting', bytes: 0, reason: /because of that/ }]);
      t.match(primary.engine.status(), {
        lastError: /because of that/,
        resync: { waitingFor: 'room at the backup' },
      });
    } else {
      t.same(waiting, []);
      t.equal(primary.engine.status().resync, null);
    }
    const waited = await secondsToNext(world);
    t.ok(Math.abs(waited - seconds) < 0.5, `${waited} s`);
  });
}

t.test('while a C primary is connected, or is all that is expected, others are closed at once', async (t) => {
  for (const peer of ['auto', 'c'] as const) {
    const world = new SimulatedWorld({ seed: 1 });
    const backup = new SideNode(world, PEER_ADDRESS, { peer });
    await world.complete(backup.opened);
    const primary = new CSide(world, world.host('10.0.0.3'));
    await primary.connect();
    if (peer === 'auto') await primary.send(writeMessages(8, 1, Buffer.alloc(512, 1)));
    await world.run(0.1);
    t.equal(backup.engine.status().peerKind, 'c');
    const second = await HandPeer.connect(world);
    second.raw(PROBE);
    await world.run(0.1);
    t.not(second.end, undefined);
    t.same(second.frames, []);
    t.equal(backup.engine.status().peerKind, 'c', 'and the first one stays');
  }
});

t.test('a peer that shows what it is takes the place of a connection that has sent nothing', async (t) => {
  const { world, backup, peer } = await called();
  await world.run(60);
  t.equal(peer.end, undefined, 'a C primary may be silent until its first write');
  const second = await HandPeer.connect(world, '10.0.0.67');
  await world.run(0.1);
  t.notMatch(backup.engine.status().peerAddress, /^10\.0\.0\.67:/, 'one that is silent too takes nothing');
  second.raw(PROBE);
  second.hello(standing('primary'));
  await second.next('hello');
  await peer.over(1);
  t.match(backup.engine.status().peerAddress, /^10\.0\.0\.67:/);
  await world.run(10);
  t.equal(second.end, undefined, 'and keeps it');
  const third = await HandPeer.connect(world, '10.0.0.68');
  third.raw(PROBE);
  t.match(await third.reason('busy'), { code: 'busy', reason: 'there is a connection already' });
});

t.test('a side that is paused ends its connection with the reason, at any step', async (t) => {
  const first = await called();
  await first.backup.command((done) => first.backup.engine.pause(done));
  await first.peer.over(1);
  t.equal(reasonOf(first.backup), 'replication was paused');

  const second = await called();
  second.peer.raw(PROBE);
  second.peer.hello(standing('primary'));
  await second.peer.next('hello');
  await second.backup.command((done) => second.backup.engine.pause(done));
  t.match(await second.peer.reason('busy'), { code: 'paused', reason: 'replication was paused' });
  t.equal(reasonOf(second.backup), 'replication was paused');
  t.match(second.backup.engine.status(), { peerAddress: null, peerKind: null, peerVersion: null });

  const { primary, peer } = await calling();
  await syncFirst(primary, peer);
  await primary.command((done) => primary.engine.pause(done));
  await peer.over(1);
  t.equal(reasonOf(primary), 'replication was paused');
  for (const side of [first.backup, second.backup, primary])
    t.equal(side.events.filter(({ kind }) => kind === 'disconnected').length, 1, 'which is reported once');
});

t.test('a side without a connection has none to end', async (t) => {
  const world = new SimulatedWorld({ seed: 1 });
  const side = new SideNode(world, PEER_ADDRESS, {});
  await world.complete(side.opened);
  await side.command((done) => side.engine.pause(done));
  t.notOk(side.events.some(({ kind }) => kind === 'disconnected'));
});

t.test('an agreement makes the peer an own one for good, and is reported', async (t) => {
  const { backup, peer } = await called();
  peer.raw(PROBE);
  t.equal(backup.engine.state.metadata.current.peerIsOwn, false);
  peer.hello(standing('primary'));
  await peer.next('hello');
  await backup.call((done) => backup.engine.state.metadata.settle(done));
  t.equal(backup.engine.state.metadata.current.peerIsOwn, true);
  t.match(
    backup.events.filter(({ kind }) => kind === 'connected'),
    [{ peer: /^10\.0\.0\.66:/, peerKind: 'own', reason: 'first-sync' }],
  );
});

t.test('of a primary’s line what is older than what the backup has is forgotten', async (t) => {
  const { world, primary, peer } = await calling();
  const { diskId, generation: first } = primary.engine.status();
  const ancestors = (): string[] =>
    primary.engine.state.metadata.current.ancestors.map(({ generation }) => generation);
  const meet = async (generation: string | null, epoch: number): Promise<HandPeer> => {
    const again = await acceptOwn(world);
    const line = [{ generation: generation ?? '', low: epoch, high: epoch }];
    again.hello(standing('backup', { diskId, hasState: true, takesFirstSync: false, line }));
    await again.next('commit');
    return again;
  };
  const writeAlone = async (from: HandPeer): Promise<string | null> => {
    from.close();
    await primary.until('unprotected');
    await primary.write(8, 8, 1);
    return primary.engine.status().generation;
  };
  await syncFirst(primary, peer);
  const second = await writeAlone(peer);
  t.same(ancestors(), [first]);
  const third = await writeAlone(await meet(first, 1));
  t.same([third === second, ancestors()], [false, [second, first]]);
  const stays = await meet(first, 1);
  t.same(ancestors(), [second, first]);
  const fourth = await writeAlone(stays);
  t.same(ancestors(), [third, second, first]);
  const latest = await meet(second, 2);
  t.same(ancestors(), [third, second]);
  t.equal(primary.engine.status().generation, fourth);
  await writeAlone(latest);
  t.same(ancestors(), [fourth, third, second]);
  await meet(fourth, 4);
  t.same(ancestors(), [fourth], 'all of it, where the backup has the latest of them');
});

t.test('a full comparison that was ordered is asked for at one meeting only', async (t) => {
  const { world, primary, peer } = await calling();
  await syncFirst(primary, peer);
  peer.close();
  await primary.until('unprotected');
  await primary.command((done) => primary.engine.resync({ full: true }, done));
  for (const full of [true, false]) {
    const again = await acceptOwn(world);
    const { standing: its } = JSON.parse((await again.next('hello')).body.toString());
    t.equal(its.full, full);
    again.hello(having(primary, 1));
    await primary.until('catching-up');
    t.not(primary.engine.status().lastError, /lost checkpoints/);
    again.close();
    await primary.until('unprotected');
  }
});

t.test('a backup that has lost checkpoints is compared, which is an error to report', async (t) => {
  const { world, primary, peer } = await calling();
  await syncFirst(primary, peer);
  peer.close();
  const again = await acceptOwn(world);
  again.hello(having(primary, 0));
  await again.next('compare');
  t.equal(
    primary.engine.status().lastError,
    'the backup has lost checkpoints that it had: every grain is compared',
  );
});

/** A backup that has the checkpoint 5 of a primary that is written by hand, which meets it again as `its`. */
async function metAgain(its: Partial<Standing>) {
  const { world, backup, peer } = await called();
  peer.raw(PROBE);
  peer.hello(standing('primary'));
  await peer.next('hello');
  const commit = (to: HandPeer, epoch: number): number =>
    to.send('commit', numbersBody(epoch), Buffer.from('a'.repeat(16), 'hex'));
  peer.send('syncBegin', Buffer.from('1'.repeat(16), 'hex'), numbersBody(SECTORS / 128, 128, 1));
  commit(peer, 5);
  t.equal(await peer.number('done'), 5);
  peer.close();
  await world.run(0.1);
  const again = await HandPeer.connect(world);
  again.raw(PROBE);
  again.hello(standing('primary', its));
  await again.next('hello');
  return { backup, again, commit: (epoch: number) => commit(again, epoch) };
}

t.test('the checkpoints of a line that goes on come after the one that is here', async (t) => {
  const line = [{ generation: 'a'.repeat(16), low: 5, high: 6 }];
  const late = await metAgain({ line });
  late.commit(5);
  await late.again.over();
  t.match(reasonOf(late.backup), /epoch 5 comes after 5/);
  const next = await metAgain({ line });
  next.commit(6);
  t.equal(await next.again.number('done'), 6);
});

t.test('those of another line, which is compared, may be of any number', async (t) => {
  const line = [{ generation: 'b'.repeat(16), low: 0, high: 1 }];
  const { again, commit } = await metAgain({ line, full: true });
  again.send('syncBegin', Buffer.from('2'.repeat(16), 'hex'), numbersBody(SECTORS / 128, 128, 0));
  await again.next('map');
  commit(2);
  t.equal(await again.number('done'), 2);
});

t.test('a backup takes nothing of a disk before it has recorded which one it is', async (t) => {
  const { world, backup, peer } = await called();
  peer.raw(PROBE);
  await world.run(0.1);
  backup.held.hold('fdatasync', METADATA);
  peer.hello(standing('primary'));
  peer.send('syncBegin', Buffer.from('1'.repeat(16), 'hex'), numbersBody(SECTORS / 128, 128, 1));
  await peer.next('hello');
  await world.run(7);
  t.same([peer.frames, peer.end], [[], undefined], 'however long that takes');
  t.equal(backup.engine.backup?.resyncId ?? null, null);
  backup.held.release('fdatasync', METADATA);
  await peer.next('map');
  t.equal(backup.engine.status().diskId, 'd'.repeat(32));
});

/** A primary and another one of the same disk, which has written since what is no part of the first one's line. */
async function twoPrimaries(more: Partial<Standing> = {}) {
  const both = await calling();
  const { diskId } = both.primary.engine.status();
  return { ...both, other: standing('primary', { diskId, ...more }) };
}

t.test('a split brain is recorded, reported, and over once the sides agree', async (t) => {
  const { world, primary, peer, other } = await twoPrimaries();
  peer.hello(other);
  t.match(await peer.reason('refused'), { code: 'split-brain' });
  await primary.until('split-brain');
  const reason = 'both sides have changes that the other one lacks';
  t.match(primary.engine.status(), { reason, lastError: `the other side is refused: ${reason}` });
  await primary.call((done) => primary.engine.state.metadata.settle(done));
  primary.host.crash('end of file');
  primary.host.restart();
  await world.complete(primary.opened);
  t.equal(primary.engine.status().state, 'split-brain', 'after a restart, too');
  (await acceptOwn(world)).hello(standing('backup', { sectors: 8192 }));
  await primary.until('unprotected');
  (await acceptOwn(world)).hello(other);
  await primary.until('split-brain');
  (await acceptOwn(world)).hello(standing('backup'));
  await primary.until('catching-up');
  t.match(primary.engine.state.metadata.current, { splitBrain: false, stale: false });
});

t.test('a primary that has to give way is stale; one to which the other has to is not', async (t) => {
  for (const isMine of [true, false]) {
    const { world, primary, peer, other } = await twoPrimaries();
    const { generation } = primary.engine.status();
    const known = { generation: generation ?? '', low: 0, high: 0 };
    const line = isMine ? [{ generation: 'b'.repeat(16), low: 0, high: 0 }, known] : [known];
    if (!isMine) {
      const { metadata } = primary.engine.state;
      metadata.note({ promoted: true });
      await primary.call((done) => metadata.settle(done));
      peer.close();
    }
    const meeting = isMine ? peer : await acceptOwn(world);
    meeting.hello({ ...other, line });
    t.match(await meeting.reason('refused'), { code: 'stale' });
    await world.run(0.5);
    t.equal(primary.engine.status().state, isMine ? 'stale' : 'unprotected');
    t.equal(primary.engine.state.metadata.current.stale, isMine);
    t.equal(await primary.write(8, 8, 1), isMine ? -errno.EROFS : 0);
  }
});

t.test('a side that cannot record that it must not be written to serves nothing', async (t) => {
  const { primary, peer, other } = await twoPrimaries();
  await primary.call((done) => primary.engine.state.metadata.settle(done));
  primary.host.files.failCalls({ calls: ['write', 'fdatasync'], nth: 1, error: errno.EIO });
  peer.hello(other);
  await primary.until('failed');
  t.equal(primary.engine.status().lastError, 'cannot write the metadata: EIO');
});

t.test('what is recorded of a refusal is not recorded again', async (t) => {
  const { world, primary, peer, other } = await twoPrimaries();
  peer.hello(other);
  await primary.until('split-brain');
  const { metadata } = primary.engine.state;
  await primary.call((done) => metadata.settle(done));
  const { update } = metadata.current;
  const again = await acceptOwn(world);
  again.hello(other);
  await again.reason('refused');
  await world.run(0.5);
  t.equal(metadata.current.update, update);
});

/** A backup that a C primary has written to, and left; a write makes it the primary. */
async function failedOver(t: Test) {
  const world = new SimulatedWorld({ seed: 1 });
  const side = new SideNode(world, PEER_ADDRESS, {});
  t.equal(await world.complete(side.opened), 0);
  const peer = new CSide(world, world.host('10.0.0.3'));
  await peer.connect();
  await peer.send(Buffer.from('creq'));
  t.equal((await peer.taken(4)).toString('latin1'), 'done');
  return { world, side, peer };
}

t.test('once a C primary is gone nobody is let in until that is ordered', async (t) => {
  const { world, side, peer } = await failedOver(t);
  t.same(side.engine.peering?.cEnd, undefined);
  peer.close();
  await world.run(0.1);
  t.match(side.engine.peering?.cEnd, { hasSpoken: true, isInMessage: false });
  t.match(side.engine.status().lastError, /the C primary is gone and will not be accepted again/);
  await world.run(3);
  t.equal(await peer.connect(), -errno.ECONNREFUSED);
  await side.command((done) => side.engine.resume(done));
  t.equal(side.engine.peering?.cEnd, undefined);
  t.equal(await peer.connect(), 0);
  await peer.send(Buffer.from('creq'));
  t.equal((await peer.taken(4)).toString('latin1'), 'done');
});

t.test('a C driver of the same role is closed', async (t) => {
  const { world, side, peer } = await failedOver(t);
  peer.close();
  await world.run(0.1);
  t.equal(await side.write(8, 1, 5), 0);
  t.equal(side.engine.status().role, 'primary');
  await side.command((done) => side.engine.resume(done));
  t.equal(await peer.connect(), 0);
  await peer.send(writeMessages(8, 1, Buffer.alloc(512, 9)));
  t.ok(await peer.until(() => peer.come.length === 0 && peer.end !== undefined));
  t.equal(reasonOf(side), 'the peer is a C driver of the same role');
  t.equal((await side.read(8, 1))[0], 5);
  t.match(side.engine.status(), { peerKind: null, peerVersion: null, connection: 'listening' });
});

/** TLS that a test lets end as it likes. */
class HandTls implements PeerTls {
  ended: ((result: number, reason?: string) => void) | undefined;
  isServer: boolean | undefined;
  givenUp = 0;
  fd = -1;

  secure(fd: number, isServer: boolean, done: (result: number, reason?: string) => void): () => void {
    Object.assign(this, { fd, isServer, ended: done });
    return () => (this.givenUp += 1);
  }
}

/** A new backup that expects TLS, and a connection to it. */
async function calledWithTls() {
  const world = new SimulatedWorld({ seed: 1 });
  const tls = new HandTls();
  const backup = new SideNode(world, PEER_ADDRESS, {}, undefined, tls);
  await world.complete(backup.opened);
  const peer = await HandPeer.connect(world);
  await world.run(0.1);
  return { world, tls, backup, peer };
}

t.test('with TLS nothing is said before both certificates were found good', async (t) => {
  const { world, tls, backup, peer } = await calledWithTls();
  t.equal(tls.isServer, true, 'the side that listens');
  t.equal(backup.engine.status().tls, true);
  peer.raw(PROBE);
  await world.run(4);
  t.equal(peer.tag, '');
  tls.ended?.(tls.fd);
  peer.hello(standing('primary'));
  await peer.next('hello');
  await world.run(10);
  t.same([peer.end, tls.givenUp], [undefined, 0], 'its time limit is over with it');
});

t.test('a TLS handshake that is not complete after the peer timeout is given up', async (t) => {
  const { world, tls, backup } = await calledWithTls();
  await world.run(4.8);
  t.equal(tls.givenUp, 0);
  await world.run(0.3);
  t.equal(tls.givenUp, 1);
  t.equal(reasonOf(backup), 'the peer does not complete the TLS handshake');
  t.equal(backup.engine.status().peerAddress, null);
});

t.test('where there is no descriptor for its time limit the connection is closed', async (t) => {
  const world = new SimulatedWorld({ seed: 1 });
  const tls = new HandTls();
  const backup = new SideNode(world, PEER_ADDRESS, {}, undefined, tls);
  await world.complete(backup.opened);
  backup.host.failCalls({ calls: ['timerfd'], nth: 1, error: errno.EMFILE });
  const refused = await HandPeer.connect(world);
  await refused.over(1);
  t.equal(reasonOf(backup), 'cannot get a timer descriptor: EMFILE');
  t.equal(tls.ended, undefined);
  await HandPeer.connect(world, '10.0.0.67');
  await world.run(0.1);
  t.not(tls.ended, undefined, 'the next one is secured');
});

t.test('one that fails ends with what went wrong, in words or by the error', async (t) => {
  for (const [reason, expected] of [
    ['the peer shows no certificate', 'the peer shows no certificate'],
    [undefined, 'TLS failed: EPROTO'],
  ] as const) {
    const { world, tls, backup } = await calledWithTls();
    tls.ended?.(-errno.EPROTO, reason);
    t.equal(reasonOf(backup), expected);
    await world.run(7);
    t.equal(backup.events.filter(({ kind }) => kind === 'disconnected').length, 1);
    t.equal(tls.givenUp, 0);
  }
});

t.test('a disk that is closed, or paused, gives up a TLS handshake', async (t) => {
  for (const how of ['close', 'pause'] as const) {
    const { world, tls, backup } = await calledWithTls();
    if (how === 'close') await backup.call((done) => backup.engine.close(done));
    else await backup.command((done) => backup.engine.pause(done));
    t.equal(tls.givenUp, 1);
    await world.run(7);
    t.equal(tls.givenUp, 1);
  }
});

t.test('with TLS a peer of unknown kind has to be an own one', async (t) => {
  const { world, tls, backup, peer } = await calledWithTls();
  tls.ended?.(tls.fd);
  peer.raw(Buffer.from('creq'));
  await peer.over();
  await world.run(0.1);
  t.equal(reasonOf(backup), 'the peer is a C driver, but an own one was expected');
});
