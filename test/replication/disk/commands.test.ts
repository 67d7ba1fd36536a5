// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What an operator can order, and when it is refused.

import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { CommandOutcome } from '../../../src/replication/disk/disk-replication.js';
import { numbersBody } from '../../../src/replication/disk/wire/frame.js';
import { PROBE } from '../../../src/replication/disk/wire/probe.js';
import { SimulatedWorld } from '../../../src/testing/index.js';
import { HandPeer } from './own/hand-peer.js';
import { DIRECTORY, type NodeOptions, type Pair, pair, SECTORS, SideNode } from './world.js';

const GRAIN = 128;
const DONE = { result: 0, sectorsLost: 0, lostSinceSeconds: null };
const refused = (message: RegExp, result: number = -errno.EINVAL) => ({ result, message, sectorsLost: 0 });

type Name = 'promote' | 'rejoin' | 'discard' | 'resync' | 'verify' | 'pause' | 'resume';

function order(
  { engine }: SideNode,
  name: Name,
  options: object,
  done: (outcome: CommandOutcome) => void,
): void {
  if (name === 'discard') engine.discard({ keep: '/srv/kept', ...options }, done);
  else if (name === 'promote' || name === 'rejoin' || name === 'resync') engine[name](options, done);
  else engine[name](done);
}
const ordered = (side: SideNode, name: Name, options: object = {}): Promise<CommandOutcome> =>
  side.command((done) => order(side, name, options, done));

async function protectedPair(t: Test, options: { a?: NodeOptions; b?: NodeOptions } = {}): Promise<Pair> {
  const both = pair(t, options);
  await both.a.until('protected');
  await both.a.write(100, 8, 1);
  await both.a.checkpoint();
  await both.world.run(0.5);
  return both;
}

/** Cut off from each other, and both are primaries. */
async function twoPrimaries(t: Test): Promise<Pair> {
  const both = await protectedPair(t);
  const { a, b, world } = both;
  world.partition(a.host);
  await a.until('unprotected');
  await world.run(8);
  t.match(await ordered(b, 'promote'), { ...DONE, message: 'is the primary now, at checkpoint 2' });
  return both;
}

t.test('a primary refuses what only a backup can, and a backup what only a primary can', async (t) => {
  const { a, b } = await protectedPair(t);
  t.match(await ordered(a, 'promote'), refused(/this side is the primary already/));
  t.match(await ordered(a, 'rejoin'), refused(/this side is not stale: its changes would be lost/));
  t.match(await ordered(a, 'discard'), refused(/there is no split brain to end/));
  t.match(await ordered(b, 'rejoin'), refused(/this side is a backup already/));
  t.match(await ordered(b, 'discard'), refused(/it has no changes of its own/));
  t.match(await ordered(b, 'resync'), refused(/only the primary can begin a resync/));
  t.match(await ordered(b, 'verify'), refused(/only the primary can verify/));
  t.match(await ordered(b, 'promote'), refused(/the primary is connected/, -errno.EBUSY));
});

t.test('without a backup nothing is sent again, nor verified', async (t) => {
  const { a, b } = await protectedPair(t);
  b.host.crash('end of file');
  await a.until('unprotected');
  t.match(await ordered(a, 'resync'), refused(/there is no backup/, -errno.ENOTCONN));
  t.match(await ordered(a, 'verify'), refused(/the disk is not protected/, -errno.ENOTCONN));
  t.match(await ordered(a, 'resync', { full: true }), { ...DONE, message: /once the backup is connected/ });
  b.host.restart();
  await a.until('protected');
  t.ok(
    a.events.some(
      ({ kind, ...event }) => kind === 'resync' && 'bytes' in event && event.bytes === SECTORS * 512,
    ),
    'every grain was compared',
  );
  a.events.splice(0);
  b.host.crash('end of file');
  await a.until('unprotected');
  b.host.restart();
  await a.until('protected');
  t.notOk(
    a.events.some((event) => event.kind === 'resync' && event.bytes === SECTORS * 512),
    'that was for once',
  );
});

t.test('a backup that is protected is sent what differs, or all of it', async (t) => {
  const { a, b, world } = await protectedPair(t);
  t.match(await ordered(a, 'resync'), { ...DONE, message: /gets what the map says by itself/ });
  t.equal(a.engine.status().state, 'protected', 'nothing is given up for it');
  b.host.files.rot('/srv/disk.img', 3000 * 512);
  t.match(await ordered(a, 'resync', { full: true }), { ...DONE, message: 'compares every grain' });
  t.equal(a.engine.status().state, 'catching-up');
  await a.until('protected');
  await world.run(1);
  t.match(await ordered(a, 'verify'), { ...DONE, message: 'both sides are equal' });
});

t.test('a C backup cannot be compared', async (t) => {
  const { a, b, world } = pair(t, { a: { peer: 'c' }, b: { peer: 'c' } });
  await world.run(() => a.isUp && b.isUp);
  await a.write(0, 8, 1);
  await a.until('protected');
  const why = refused(/a C backup cannot compare/, -errno.EOPNOTSUPP);
  t.match(await ordered(a, 'verify'), why);
  t.match(await ordered(a, 'resync', { full: true }), why);
  t.ok((await a.checkpoint()) > 0);
  t.match(a.engine.status(), { state: 'protected', peerKind: 'c', peerVersion: 'done = received' });
  t.match(b.engine.status(), { peerKind: 'c', peerVersion: null }, 'a C primary says nothing of what it is');
});

t.test('a backup without a checkpoint is not promoted', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const b = new SideNode(world, '10.0.0.2', {});
  await world.complete(b.opened);
  t.match(await ordered(b, 'promote'), refused(/no committed checkpoint/));
});

t.test('a dry run says what would be, and changes nothing', async (t) => {
  const { a, b, world } = await protectedPair(t);
  a.host.crash('end of file');
  await world.run(1);
  t.match(await ordered(b, 'promote', { dryRun: true }), {
    ...DONE,
    message: 'would become the primary at checkpoint 2',
  });
  t.match(b.engine.status(), { state: 'backup', role: 'backup' });
});

t.test('pause ends the connection and makes none until resume', async (t) => {
  const { a, b, world } = await protectedPair(t);
  t.match(await ordered(a, 'pause'), { ...DONE, message: 'replication is paused' });
  t.match(a.engine.status(), { state: 'unprotected', paused: true, connection: 'none' });
  await a.write(200, 8, 2);
  await world.run(20);
  t.equal(a.engine.status().state, 'unprotected');
  t.match(await ordered(a, 'resume'), { ...DONE, message: 'replication goes on' });
  t.equal(a.engine.status().paused, false);
  await a.until('protected');
  t.match(await ordered(b, 'pause'), DONE);
  await a.until('unprotected');
  t.match(b.engine.status(), { paused: true, connection: 'none', state: 'backup' });
  await world.run(20);
  t.equal(a.engine.status().state, 'unprotected');
  t.match(await ordered(b, 'promote'), DONE, 'whoever is paused may be promoted');
  t.equal(b.engine.status().connection, 'none', 'and stays paused');
});

t.test('a backup is the primary once that is on stable storage, and not before', async (t) => {
  const { a, b, world } = await protectedPair(t);
  a.host.crash('silence');
  await world.run(8);
  const metadata = `${DIRECTORY}/metadata`;
  b.held.hold('fdatasync', metadata);
  const outcomes: CommandOutcome[] = [];
  b.engine.promote({}, (outcome) => outcomes.push(outcome));
  await world.run(1);
  let writes = 0;
  for (; b.held.waiting('fdatasync', metadata) > 0; writes++) {
    t.same([outcomes, b.engine.primary], [[], undefined]);
    b.held.release('fdatasync', metadata);
    b.held.hold('fdatasync', metadata);
    await world.run(1);
  }
  t.ok(writes >= 2, 'that of the role, and those of what was on its way');
  t.match(outcomes, [{ result: 0 }]);
});

t.test('a backup that is promoted reports it, and closes its journal', async (t) => {
  const { b } = await twoPrimaries(t);
  t.match(
    b.events.findLast(({ kind }) => kind === 'state'),
    { role: 'primary', reason: 'promoted' },
  );
  t.same(
    b.host.files.descriptors().filter(({ path }) => path.includes('journal')),
    [],
  );
});

t.test('one command at a time', async (t) => {
  const { a, world } = await protectedPair(t);
  const outcomes: CommandOutcome[] = [];
  a.engine.verify((outcome) => outcomes.push(outcome));
  a.engine.pause((outcome) => outcomes.push(outcome));
  t.match(outcomes, [refused(/another command is under way/, -errno.EBUSY)]);
  await world.run(() => outcomes.length === 2);
  t.match(await ordered(a, 'resync'), DONE, 'the next one is taken after it');
});

t.test('a side that was promoted, and wrote nothing, rejoins without a loss', async (t) => {
  const { a, b, world } = await twoPrimaries(t);
  t.match(await ordered(b, 'rejoin', { dryRun: true }), {
    ...DONE,
    message: 'would become the backup of the other side',
  });
  t.equal(b.engine.status().role, 'primary');
  // Grains that it gave up as a primary before may still be in its map; they are none that it has written.
  b.engine.state.map.raise(1, 1, () => {});
  t.match(await ordered(b, 'rejoin'), { ...DONE, message: 'is the backup of the other side now' });
  t.match(b.engine.status(), { role: 'backup', state: 'backup' }, 'what it has is a state of the other side');
  t.match(await ordered(b, 'promote', { dryRun: true }), {
    message: 'would become the primary at checkpoint 2',
  });
  world.heal();
  await a.until('protected', 60);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('of two that have written, one keeps its changes aside and becomes the backup', async (t) => {
  const { a, b, world } = await twoPrimaries(t);
  await a.write(600, 8, 6);
  await b.write(700, 8, 7);
  await b.write(2000, 8, 7);
  world.heal();
  await a.until('split-brain');
  await b.until('split-brain');
  t.match(await ordered(b, 'rejoin'), refused(/see discard/));
  t.match(await ordered(b, 'discard', { dryRun: true }), {
    result: 0,
    message: 'would keep its changes in /srv/kept and give them up',
    sectorsLost: 2 * GRAIN,
  });
  t.throws(() => b.host.files.contents('/srv/kept'));
  t.equal(b.engine.status().state, 'split-brain');
  t.match(await ordered(b, 'discard'), {
    result: 0,
    message: 'has kept its changes in /srv/kept and is the backup now',
    sectorsLost: 2 * GRAIN,
  });
  t.match(
    b.engine.status(),
    { role: 'backup', state: 'inconsistent' },
    'what it has is no state of the other side',
  );
  await a.until('protected', 60);
  t.equal(b.engine.status().state, 'backup');
  t.ok((await a.read()).equals(await b.read()));
});

t.test('a side that gave its changes up is no backup by a commit that replaces none of them', async (t) => {
  const { a, b, world } = await twoPrimaries(t);
  await a.write(600, 8, 6);
  await b.write(700, 8, 7);
  world.heal();
  await b.until('split-brain');
  await a.until('split-brain');
  t.match(await ordered(b, 'discard'), { result: 0 });
  const standing = a.engine.standing();
  a.host.crash('end of file');
  await world.run(1);
  const primary = await HandPeer.connect(world);
  primary.raw(PROBE);
  primary.hello(standing);
  await primary.next('hello');
  t.ok((await primary.next('map')).body.length > 0, 'it says what it has written');
  primary.send('commit', numbersBody(1000), Buffer.from(standing.line[0]?.generation ?? '', 'hex'));
  await primary.over();
  t.notOk(primary.frames.some(({ name }) => name === 'done'));
  t.match(
    b.events.findLast(({ kind }) => kind === 'disconnected'),
    { reason: /before a resync that this/ },
  );
  t.match(b.engine.status(), { role: 'backup', state: 'inconsistent' });
  a.host.restart();
  await a.until('protected', 60);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('a side that becomes a backup is met by nobody until it is one', async (t) => {
  const { b, world } = await twoPrimaries(t);
  world.heal();
  b.host.files.stall(5);
  const outcomes: CommandOutcome[] = [];
  order(b, 'rejoin', {}, (outcome) => outcomes.push(outcome));
  await world.run(3);
  t.match(b.engine.status(), { role: 'primary', connection: 'none' });
  await world.run(() => outcomes.length > 0);
  t.match(outcomes, [DONE]);
  t.match(b.engine.status(), { role: 'backup', connection: 'listening' });
});

t.test('one that is paused becomes a backup, and stays paused', async (t) => {
  const { b } = await twoPrimaries(t);
  t.match(await ordered(b, 'pause'), DONE);
  t.match(await ordered(b, 'rejoin'), DONE);
  t.match(b.engine.status(), { role: 'backup', paused: true, connection: 'none' });
});

t.test('what is given up is counted to the end of the disk, and no further', async (t) => {
  const sectors = 2 * GRAIN + 8;
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const side = new SideNode(world, '10.0.0.1', {}, { sectors, fill: 0 });
  await world.complete(side.opened);
  t.equal(await side.write(0, sectors, 1), 0);
  side.engine.state.metadata.note({ stale: true });
  t.match(await ordered(side, 'rejoin', { dryRun: true }), { sectorsLost: sectors });
});

t.test('a stale side may keep aside what it gives up', async (t) => {
  const { a, b, world } = await protectedPair(t);
  await a.write(500, 8, 2);
  a.host.crash('silence');
  await world.run(8);
  await ordered(b, 'promote');
  a.host.restart();
  await a.until('stale');
  t.match(await ordered(a, 'discard'), { result: 0 });
  const { ranges } = JSON.parse(Buffer.from(a.host.files.contents('/srv/kept.json')).toString());
  t.match(ranges.at(-1), { sector: 3 * GRAIN, sectors: GRAIN });
});

t.test('nothing is written to a side while it keeps its changes aside', async (t) => {
  const { a, b, world } = await twoPrimaries(t);
  await a.write(600, 8, 6);
  await b.write(700, 8, 7);
  world.heal();
  await b.until('split-brain');
  b.held.hold('read', '/srv/disk.img');
  const outcomes: CommandOutcome[] = [];
  order(b, 'discard', {}, (outcome) => outcomes.push(outcome));
  await world.run(() => b.held.waiting('read', '/srv/disk.img') > 0);
  t.equal(await b.write(800, 8, 8), -errno.EROFS);
  b.held.release('read', '/srv/disk.img');
  await world.run(() => outcomes.length > 0);
  t.match(outcomes, [{ result: 0 }]);
});

t.test('a side whose image cannot be synced gives nothing up', async (t) => {
  const { a, b, world } = await twoPrimaries(t);
  await a.write(600, 8, 6);
  await b.write(700, 8, 7);
  world.heal();
  await b.until('split-brain');
  await b.call((done) => b.engine.state.metadata.settle(done));
  // The first sync is that of the metadata.
  b.host.files.failCalls({ calls: ['fdatasync'], nth: 2, error: errno.EIO });
  t.match(await ordered(b, 'discard'), { result: -errno.EIO, message: 'cannot sync the image: EIO' });
  t.match(b.engine.status(), { state: 'failed', role: 'primary' });
});

t.test('what cannot be kept is not given up', async (t) => {
  const { a, b, world } = await twoPrimaries(t);
  await a.write(600, 8, 6);
  await b.write(700, 8, 7);
  world.heal();
  await b.until('split-brain');
  t.match(await ordered(b, 'discard', { keep: '/nowhere/kept' }), {
    result: -errno.ENOENT,
    message: /\/nowhere\/kept/,
  });
  t.match(b.engine.status(), { state: 'split-brain', role: 'primary' });
  t.equal(await b.write(800, 8, 8), 0, 'and its disk may be written again');
});

t.test('an old primary that is stale gives up what the survivor does not have', async (t) => {
  const { a, b, world } = await protectedPair(t);
  await a.write(500, 8, 2);
  a.host.crash('silence');
  await world.run(8);
  await ordered(b, 'promote');
  await b.write(700, 8, 7);
  a.host.restart();
  await a.until('stale');
  const { sectorsLost } = await ordered(a, 'rejoin', { dryRun: true });
  t.equal(sectorsLost % GRAIN, 0);
  t.ok(sectorsLost > 0 && sectorsLost <= SECTORS);
  t.match(await ordered(a, 'rejoin'), { result: 0, sectorsLost });
  await b.until('protected', 60);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('a verification that a lost connection ends has found what it had found', async (t) => {
  const { a, b, world } = await protectedPair(t);
  a.held.hold('read', '/srv/disk.img');
  let outcome: CommandOutcome | undefined;
  a.engine.verify((ended) => (outcome = ended));
  await world.run(0.1);
  b.host.crash('reset');
  await world.run(1);
  a.held.release('read', '/srv/disk.img');
  await world.run(() => outcome !== undefined);
  t.equal(outcome?.result, 0);
});

t.test('while it is not open a disk takes no command', async (t) => {
  const { a } = await protectedPair(t);
  t.equal(await a.call((done) => a.engine.close(done)), 0);
  for (const name of ['promote', 'rejoin', 'discard', 'resync', 'verify', 'pause', 'resume'] as const)
    t.match(await ordered(a, name), { result: -errno.EBUSY });
});
