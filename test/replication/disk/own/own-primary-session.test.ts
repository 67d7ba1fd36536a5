// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A backup, and a primary whose frames are written by hand.

import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { errno } from '../../../../src/posix/index.js';
import type { OwnLinkEvents } from '../../../../src/replication/disk/own/own-link.js';
import { OwnPrimarySession } from '../../../../src/replication/disk/own/own-primary-session.js';
import { decodeReason } from '../../../../src/replication/disk/own/reason.js';
import { extentsBody, type FrameName, numbersBody } from '../../../../src/replication/disk/wire/frame.js';
import { PROBE } from '../../../../src/replication/disk/wire/probe.js';
import { StateError } from '../../../../src/replication/disk/state-file.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { DIRECTORY, IMAGE, type NodeOptions, SECTORS, SideNode } from '../world.js';
import { HandPeer, PEER_ADDRESS, standing } from './hand-peer.js';

const SECTOR = 512;
const GRAIN = 128;
const GENERATION = 'a'.repeat(16);
const JOURNAL = `${DIRECTORY}/journal-0`;

const filled = (sectors: number, byte: number): Buffer => Buffer.alloc(sectors * SECTOR, byte);
const readNumbersOf = (body: Buffer): number[] =>
  Array.from({ length: body.length / 8 }, (_, index) => Number(body.readBigUInt64LE(index * 8)));
const sumOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The primary, once it has connected again with this epoch. */
async function metAgain(world: SimulatedWorld, primary: HandPeer, epoch: number): Promise<HandPeer> {
  primary.close();
  await world.run(2);
  const again = await HandPeer.connect(world);
  again.raw(PROBE);
  again.hello(standing('primary', { line: [{ generation: GENERATION, low: epoch, high: epoch }] }));
  await again.next('hello');
  return again;
}

/** A backup that agreed to a first sync of a disk with this primary. */
async function agreed(t: Test, options: NodeOptions = {}) {
  const world = new SimulatedWorld({ seed: 1 });
  const backup = new SideNode(world, PEER_ADDRESS, options);
  await world.complete(backup.opened);
  const primary = await HandPeer.connect(world);
  primary.raw(PROBE);
  primary.hello(standing('primary'));
  await primary.next('hello');
  t.equal(primary.tag, 'rp01');
  const commit = (epoch: number): number =>
    primary.send('commit', numbersBody(epoch), Buffer.from(GENERATION, 'hex'));
  const write = (sector: number, sectors: number, byte: number): number =>
    primary.extents('write', { sector, sectors, data: filled(sectors, byte) });
  const syncBegin = (id: string, grains: number, isFirst: boolean, grainSectors = GRAIN): number =>
    primary.send('syncBegin', Buffer.from(id, 'hex'), numbersBody(grains, grainSectors, isFirst ? 1 : 0));
  const at = async (sector: number): Promise<number> => (await backup.read(sector, 1))[0] as number;
  /** Why the backup has ended the connection. */
  const why = async (): Promise<string> => {
    await primary.over();
    const ended = backup.events.findLast(({ kind }) => kind === 'disconnected');
    return ended?.kind === 'disconnected' ? ended.reason : 'it has not';
  };
  return { world, backup, primary, commit, write, syncBegin, at, why };
}

/** The same, after a first sync that has brought 5 to the first grain, and the commit of epoch 1. */
async function synced(t: Test, options: NodeOptions = {}) {
  const both = await agreed(t, options);
  const { primary, commit, syncBegin } = both;
  syncBegin('1'.repeat(16), SECTORS / GRAIN, true);
  primary.extents('syncData', { sector: 0, sectors: GRAIN, data: filled(GRAIN, 5) });
  commit(1);
  t.equal(await primary.number('done'), 1);
  t.equal((await primary.next('map')).body.length, 0, 'it has nothing of it yet');
  return both;
}

t.test('a backup has a state once its first sync was committed', async (t) => {
  const { world, backup, primary, commit, syncBegin } = await agreed(t);
  syncBegin('1'.repeat(16), SECTORS / GRAIN, true);
  const data = primary.extents('syncData', { sector: 0, sectors: GRAIN, data: filled(GRAIN, 5) });
  const zeroes = primary.extents('syncData', { sector: GRAIN, sectors: SECTORS - GRAIN, data: undefined });
  t.equal(await primary.number('progress'), zeroes);
  t.ok(zeroes > data);
  t.equal(backup.engine.status().state, 'inconsistent');
  commit(1);
  t.equal(await primary.number('done'), 1);
  await world.run(0.1);
  t.match(backup.engine.status(), {
    state: 'backup',
    epochCommitted: 1,
    diskId: 'd'.repeat(32),
    generation: GENERATION,
  });
  t.ok((await backup.read()).equals(Buffer.concat([filled(GRAIN, 5), filled(SECTORS - GRAIN, 0)])));
});

t.test('a checkpoint is what came between two commits, and is seen once it is committed', async (t) => {
  const { primary, commit, write, at } = await synced(t);
  write(8, 1, 1);
  primary.extents(
    'write',
    { sector: 0, sectors: 1, data: undefined },
    { sector: 9, sectors: 1, data: filled(1, 2) },
  );
  t.same([await at(0), await at(8)], [5, 5]);
  commit(2);
  write(8, 1, 9);
  t.equal(await primary.number('done'), 2);
  t.same([await at(0), await at(8), await at(9)], [0, 1, 2]);
  commit(4);
  t.equal(await primary.number('done'), 4, 'epochs may leave some out');
  t.equal(await at(8), 9);
});

t.test('what was written before an abort is not a part of any checkpoint', async (t) => {
  const { primary, commit, write, at } = await synced(t);
  write(8, 1, 1);
  primary.send('abort');
  write(9, 1, 2);
  commit(2);
  t.equal(await primary.number('done'), 2);
  t.same([await at(8), await at(9)], [5, 2]);
});

t.test('done is sent once the checkpoint is durable, for each in its order', async (t) => {
  const { world, backup, primary, commit, write } = await synced(t);
  backup.held.hold('fdatasync', JOURNAL);
  for (const epoch of [2, 3, 4]) {
    write(8, 1, epoch);
    commit(epoch);
  }
  await world.run(1);
  t.same(primary.frames, []);
  backup.held.release('fdatasync', JOURNAL);
  t.same(
    [await primary.number('done'), await primary.number('done'), await primary.number('done')],
    [2, 3, 4],
  );
});

for (const [what, send, why] of [
  ['an epoch that is not above the last one', ({ commit }) => commit(1), /epoch 1 comes after 1/],
  [
    'a commit without a generation',
    ({ primary }) => primary.send('commit', numbersBody(2), Buffer.alloc(7)),
    /a commit names no generation/,
  ],
  [
    'a commit without an epoch',
    ({ primary }) => primary.send('commit', Buffer.alloc(4)),
    /a body has 4 bytes/,
  ],
  ['a frame of a backup', ({ primary }) => primary.numbers('done', 1), /a primary does not send done/],
  ['a write outside of the disk', ({ write }) => write(SECTORS, 1, 1), /not within the disk's 4096/],
  [
    'sync data without a begin',
    ({ primary }) => primary.extents('syncData', { sector: 0, sectors: GRAIN, data: undefined }),
    /without a sync begin/,
  ],
  [
    'sync data that begin within a grain',
    ({ primary, syncBegin }) => {
      syncBegin('2'.repeat(16), 1, false);
      primary.extents('syncData', { sector: 8, sectors: GRAIN, data: undefined });
    },
    /128 sectors at 8 are not whole grains/,
  ],
  [
    'sync data that end within a grain',
    ({ primary, syncBegin }) => {
      syncBegin('2'.repeat(16), 1, false);
      primary.extents('syncData', { sector: 0, sectors: GRAIN + 8, data: undefined });
    },
    /136 sectors at 0 are not whole grains/,
  ],
  [
    'a sync begin of another length',
    ({ primary }) => primary.send('syncBegin', Buffer.alloc(24)),
    /a sync begin has a wrong length/,
  ],
  [
    'grains of another size',
    ({ syncBegin }) => syncBegin('2'.repeat(16), 1, false, 256),
    /have 256 sectors, expected 128/,
  ],
  [
    'more grains than the disk has',
    ({ syncBegin }) => syncBegin('2'.repeat(16), SECTORS / GRAIN + 1, false),
    /33 grains are more than the disk has/,
  ],
  [
    'a compare of more than a grain',
    ({ primary }) => primary.extents('compare', { sector: 0, sectors: GRAIN + 1, data: Buffer.alloc(32) }),
    /more than a grain/,
  ],
  [
    'a compare of two ranges',
    ({ primary }) =>
      primary.extents(
        'compare',
        { sector: 0, sectors: 8, data: Buffer.alloc(32) },
        { sector: 8, sectors: 8, data: Buffer.alloc(32) },
      ),
    /more than a grain/,
  ],
  ['a compare of nothing', ({ primary }) => primary.extents('compare'), /more than a grain/],
] as readonly [string, (both: Awaited<ReturnType<typeof agreed>>) => unknown, RegExp][]) {
  t.test(`${what} ends the connection, and leaves the last checkpoint as it is`, async (t) => {
    const both = await synced(t);
    const { backup, write, at, why: reason } = both;
    write(8, 1, 1);
    send(both);
    t.match(await reason(), why);
    t.equal(await at(8), 5);
    t.match(backup.engine.status(), { state: 'backup', openBytes: 0, peerAddress: null });
  });
}

t.test('a backup without a state gets none by a commit without a resync', async (t) => {
  const { world, backup, primary, commit, write, why } = await agreed(t);
  write(8, 1, 1);
  commit(1);
  t.match(await why(), /a commit comes before a resync that this backup needs$/);
  t.notOk(primary.frames.some(({ name }) => name === 'done'));
  await world.run(1);
  t.match(backup.engine.status(), { state: 'inconsistent', openBytes: 0, peerAddress: null });
  const promoted = await backup.command((done) => backup.engine.promote({}, done));
  t.ok(promoted.result < 0, promoted.message);
});

t.test(
  'a backup that lost checkpoints, and is to be compared, commits nothing without a resync',
  async (t) => {
    const { world, backup, primary, commit, at } = await synced(t);
    commit(5);
    t.equal(await primary.number('done'), 5);
    const again = await metAgain(world, primary, 8);
    again.extents('write', { sector: 0, sectors: 1, data: filled(1, 1) });
    again.send('commit', numbersBody(9), Buffer.from(GENERATION, 'hex'));
    await again.over();
    const ended = backup.events.findLast(({ kind }) => kind === 'disconnected');
    t.match(ended, { reason: /a commit comes before a resync that this backup needs$/ });
    t.same([await at(0), backup.engine.status().epochCommitted], [5, 5]);
  },
);

t.test('grains may come in any order, again, and in another number than was announced', async (t) => {
  const { world, backup, primary, commit, syncBegin, at } = await synced(t);
  const grain = (number: number, byte: number): number =>
    primary.extents('syncData', { sector: number * GRAIN, sectors: GRAIN, data: filled(GRAIN, byte) });
  syncBegin('2'.repeat(16), 2, false);
  for (const [number, byte] of [
    [31, 1],
    [4, 2],
    [4, 3],
    [2, 4],
    [31, 5],
    [0, 6],
    [1, 7],
    [0, 8],
  ] as const)
    grain(number, byte);
  commit(2);
  t.equal(await primary.number('done'), 2);
  const expected = async (when: string): Promise<void> => {
    const found: number[] = [];
    for (const number of [0, 1, 2, 3, 4, 31]) found.push(await at(number * GRAIN + GRAIN - 1));
    t.same(found, [8, 7, 4, 0, 3, 5], when);
  };
  await expected('the last of each is what was committed');
  backup.host.crash('end of file');
  backup.host.restart();
  await world.run(2);
  await expected('and what a crash leaves');
});

t.test('a begin of another resync drops what the first one brought; the same one keeps it', async (t) => {
  const { primary, commit, syncBegin, at } = await synced(t);
  const grain = (number: number, byte: number): number =>
    primary.extents('syncData', { sector: number * GRAIN, sectors: GRAIN, data: filled(GRAIN, byte) });
  syncBegin('2'.repeat(16), 2, false);
  grain(0, 1);
  syncBegin('3'.repeat(16), 2, false);
  grain(1, 2);
  syncBegin('3'.repeat(16), 2, false);
  grain(2, 3);
  commit(2);
  t.equal(await primary.number('done'), 2);
  t.same([await at(0), await at(GRAIN), await at(2 * GRAIN)], [5, 2, 3]);
  const maps = primary.frames.filter(({ name }) => name === 'map').map(({ body }) => readNumbersOf(body));
  t.same(maps, [[], [], [1, 1], []], 'what it has of it is in the reply');
});

t.test('a resync is a part of the checkpoint that is committed after it, under its writes', async (t) => {
  const { world, backup, primary, commit, write, syncBegin, at } = await synced(t);
  syncBegin('2'.repeat(16), 3, false);
  write(GRAIN, 1, 7);
  primary.extents(
    'syncData',
    { sector: 0, sectors: GRAIN, data: undefined },
    { sector: GRAIN, sectors: GRAIN, data: filled(GRAIN, 6) },
  );
  primary.extents('syncData', { sector: SECTORS - GRAIN, sectors: GRAIN, data: filled(GRAIN, 8) });
  await world.run(2);
  t.same([await at(0), await at(GRAIN)], [5, 0], 'nothing of it is seen before');
  commit(2);
  write(0, 1, 9);
  t.equal(await primary.number('done'), 2);
  t.same([await at(0), await at(GRAIN), await at(GRAIN + 1), await at(SECTORS - 1)], [0, 7, 6, 8]);
  commit(3);
  t.equal(await primary.number('done'), 3);
  t.equal(await at(0), 9, 'what came after the commit belongs to the next one');
  t.equal(backup.engine.status().state, 'backup');
});

t.test('a commit that waits for its resync is not made once the connection is over', async (t) => {
  const { world, backup, primary, commit, syncBegin, at } = await synced(t);
  syncBegin('2'.repeat(16), 1, false);
  await world.run(0.1);
  backup.held.hold('fdatasync', `${DIRECTORY}/resync`);
  primary.extents('syncData', { sector: 0, sectors: GRAIN, data: filled(GRAIN, 6) });
  await world.run(2);
  commit(2);
  await world.run(0.1);
  t.match(await backup.command((done) => backup.engine.pause(done)), { result: 0 });
  backup.held.release('fdatasync', `${DIRECTORY}/resync`);
  await world.run(1);
  t.equal(backup.engine.status().epochCommitted, 1);
  t.equal(await at(0), 5);
});

t.test('a primary that goes on commits nothing that is not above what is here', async (t) => {
  const { world, primary, commit, backup } = await synced(t);
  commit(5);
  t.equal(await primary.number('done'), 5);
  const again = await metAgain(world, primary, 5);
  again.send('commit', numbersBody(5), Buffer.from(GENERATION, 'hex'));
  await again.over();
  const ended = backup.events.findLast(({ kind }) => kind === 'disconnected');
  t.match(ended, { reason: /epoch 5 comes after 5/ });
});

t.test('progress names the last grains that are on stable storage', async (t) => {
  const { world, backup, primary, syncBegin } = await synced(t);
  syncBegin('2'.repeat(16), 4, false);
  await world.run(0.1);
  backup.held.hold('fdatasync', `${DIRECTORY}/resync`);
  const first = primary.extents('syncData', { sector: 0, sectors: GRAIN, data: filled(GRAIN, 6) });
  await world.run(3);
  t.notOk(primary.frames.some(({ name }) => name === 'progress'));
  const second = primary.extents('syncData', { sector: GRAIN, sectors: GRAIN, data: filled(GRAIN, 6) });
  await world.run(0.1);
  backup.held.release('fdatasync', `${DIRECTORY}/resync`);
  t.same([await primary.number('progress'), await primary.number('progress')], [first, second]);
  await world.run(3);
  t.notOk(
    primary.frames.some(({ name }) => name === 'progress'),
    'and nothing when there is no news',
  );
});

t.test('a compare is about what is committed, and says whether the sums are equal', async (t) => {
  const { primary, write } = await synced(t);
  write(0, 8, 9);
  const ask = async (sector: number, sectors: number, data: Buffer | undefined): Promise<number> => {
    const sequence = primary.extents('compare', { sector, sectors, data });
    const { body } = await primary.next('compared');
    t.equal(body.length, 9);
    t.equal(Number(body.readBigUInt64LE(0)), sequence);
    return body[8] as number;
  };
  t.equal(await ask(0, GRAIN, sumOf(filled(GRAIN, 5))), 0);
  t.equal(await ask(0, GRAIN, sumOf(filled(GRAIN, 6))), 1);
  t.equal(await ask(SECTORS - 8, 8, sumOf(filled(8, 0))), 0, 'a part of a grain, too');
  t.equal(await ask(SECTORS - 8, 8, undefined), 1, 'without a sum it is different');
});

t.test('a grain that the backup cannot read is reported so', async (t) => {
  const { world, backup, primary } = await synced(t);
  await world.run(1);
  backup.host.files.failCalls({ calls: ['read'], nth: 1, error: errno.EIO });
  primary.extents('compare', { sector: 0, sectors: GRAIN, data: sumOf(filled(GRAIN, 5)) });
  t.equal((await primary.next('compared')).body[8], 2);
  t.equal(backup.engine.status().state, 'backup');
});

t.test('a compare waits for the commits that came before it', async (t) => {
  const { world, backup, primary, commit, write } = await synced(t);
  backup.held.hold('fdatasync', JOURNAL);
  for (const epoch of [2, 3]) {
    write(0, GRAIN, epoch);
    commit(epoch);
  }
  primary.extents('compare', { sector: 0, sectors: GRAIN, data: sumOf(filled(GRAIN, 3)) });
  await world.run(1);
  t.same(primary.frames, []);
  backup.held.release('fdatasync', JOURNAL);
  const { body, sequence } = await primary.next('compared');
  t.equal(body[8], 0);
  t.ok((await primary.next('done')).sequence < sequence);
  t.ok((await primary.next('done')).sequence < sequence);
  commit(4);
  t.equal(await primary.number('done'), 4, 'and what comes after it is taken');
});

/** What ends the connection once it is taken. */
const broken = (primary: HandPeer): number => primary.numbers('progress', 1);

t.test('with 64 commits on their way nothing more is taken', async (t) => {
  for (const count of [63, 64]) {
    const { world, backup, primary, commit, why } = await synced(t);
    backup.held.hold('fdatasync', JOURNAL);
    for (let epoch = 2; epoch < 2 + count; epoch++) commit(epoch);
    broken(primary);
    await world.run(1);
    t.equal(primary.end === undefined, count === 64, `${count} commits`);
    backup.held.release('fdatasync', JOURNAL);
    t.match(await why(), /does not send progress/);
  }
});

t.test('with 64 compares on their way nothing more is taken', async (t) => {
  for (const count of [63, 64]) {
    const { world, backup, primary, why } = await synced(t);
    await world.run(1);
    for (let asked = 0; asked < 10; asked++)
      primary.extents('compare', { sector: 0, sectors: 8, data: Buffer.alloc(32) });
    for (let answered = 0; answered < 10; answered++) await primary.next('compared');
    backup.held.hold('read', IMAGE);
    for (let asked = 0; asked < count; asked++)
      primary.extents('compare', { sector: 0, sectors: 8, data: Buffer.alloc(32) });
    broken(primary);
    await world.run(1);
    t.equal(primary.end === undefined, count === 64, `${count} compares`);
    backup.held.release('read', IMAGE);
    t.match(await why(), /does not send progress/);
  }
});

t.test(
  'a checkpoint that outgrows the journal is dropped up to its abort; the next one is taken',
  async (t) => {
    const { backup, primary, commit, write, at } = await synced(t, {
      journalBytes: 1_500_000,
      memoryBytes: 600_000,
    });
    for (let sector = 0; sector < SECTORS; sector += 512) write(sector, 512, 3);
    t.match(await primary.reason('fail'), { code: 'full', epoch: 2, reason: /larger than the journal/ });
    write(8, 1, 4);
    commit(2);
    primary.send('abort');
    write(9, 1, 6);
    commit(3);
    t.equal(await primary.number('done'), 3, 'the commit before the abort has no answer');
    t.same([await at(0), await at(8), await at(9)], [5, 5, 6]);
    t.equal(backup.engine.status().state, 'backup');
  },
);

t.test('a resync that has no room ends the connection with the code for that', async (t) => {
  const { world, backup, primary, syncBegin, why } = await synced(t);
  await world.run(1);
  backup.host.files.failCalls({ calls: ['allocate'], error: errno.ENOSPC });
  syncBegin('2'.repeat(16), 4, false);
  t.match(await primary.reason('busy'), { code: 'no-room', reason: /ENOSPC/ });
  t.match(await why(), /ENOSPC/);
});

t.test('a commit that cannot be written ends the connection, and the backup serves nothing', async (t) => {
  const { world, backup, primary, commit, write } = await synced(t);
  await world.run(1);
  backup.host.files.failCalls({ calls: ['fdatasync'], nth: 1, error: errno.EIO });
  write(8, 1, 1);
  commit(2);
  t.match(await primary.reason('busy'), { reason: /EIO/ });
  await primary.over();
  t.equal(backup.engine.status().state, 'failed');
});

t.test('grains that cannot be written end the connection; the last checkpoint is served', async (t) => {
  const { world, backup, primary, syncBegin, at } = await synced(t);
  syncBegin('2'.repeat(16), 4, false);
  await world.run(1);
  backup.host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  primary.extents('syncData', { sector: 0, sectors: GRAIN, data: filled(GRAIN, 6) });
  t.match(await primary.reason('busy'), { code: 'failed', reason: /the resync cannot be written: EIO/ });
  t.equal(await at(0), 5);
  t.equal(backup.engine.status().state, 'backup');
});

t.test('a backup that is paused says so to its primary', async (t) => {
  const { backup, primary, write, at } = await synced(t);
  write(8, 1, 1);
  await backup.command((done) => backup.engine.pause(done));
  t.match(await primary.reason('busy'), { code: 'paused', reason: 'replication was paused' });
  await primary.over();
  t.equal(await at(8), 5);
});

/** A session over a link, a store and a resync that a test plays. */
function played() {
  const its = {
    readResult: 0,
    beginSync: async (..._asked: unknown[]) => target as never,
    zero: (done: (result: number) => void): unknown => done(0),
  };
  const calls: string[] = [];
  const frames: [name: string, ...parts: Uint8Array[]][] = [];
  const link = {
    events: {} as OwnLinkEvents,
    queuedBytes: 0,
    send: (name: FrameName, parts: Uint8Array[] = []) => frames.push([name, ...parts]),
    pause: (why: string) => calls.push(`pause ${why}`),
    resume: (why: string) => calls.push(`resume ${why}`),
    close: () => calls.push('close'),
  };
  const rooms: (() => void)[] = [];
  const commits: ((result: number) => void)[] = [];
  const store = {
    sectors: SECTORS,
    hasRoom: true,
    isFull: false,
    onRoom: (room: () => void) => rooms.push(room),
    write: (sector: number) => calls.push(`write ${sector}`),
    read: (_sector: number, _into: Uint8Array, done: (result: number) => void) => done(0),
    abort: () => calls.push('abort'),
  };
  const target = {
    id: '2'.repeat(16),
    grains: [],
    readerOf: () => (into: Uint8Array, done: (result: number) => void) => {
      into.fill(6);
      done(its.readResult);
    },
    zero: (_sector: number, _sectors: number, done: (result: number) => void) => its.zero(done),
    sync: (done: (result: number) => void) => {
      calls.push('sync');
      done(0);
    },
    confirm: (sector: number) => calls.push(`confirm ${sector}`),
  };
  const world = new SimulatedWorld({ traceLines: 0 });
  const host = world.host('10.0.0.1');
  const session = new OwnPrimarySession({
    host: { registrar: host.serve(), posix: host.posix },
    link: link as never,
    services: {
      store: store as never,
      beginSync: (...asked) => its.beginSync(...asked),
      commit: (...[, , , done]) => commits.push(done),
    },
    grainSectors: GRAIN,
    epoch: 0,
    needsResync: false,
    lost: (reason) => calls.push(`lost: ${reason}`),
  });
  const take = (name: FrameName, ...parts: Uint8Array[]): void =>
    link.events.frame(name, Buffer.concat(parts), 7);
  return { world, session, link, store, rooms, commits, calls, frames, its, take };
}

t.test('a session that is over drops nothing of the next one', async (t) => {
  const { session, store, rooms, calls, frames, take } = played();
  store.hasRoom = false;
  take('write', ...extentsBody([{ sector: 0, sectors: 1, data: filled(1, 1) }]));
  t.same(calls, ['write 0', 'pause room']);
  session.close('paused', 'replication was paused');
  t.equal(calls.filter((call) => call === 'abort').length, 1);
  const { length } = frames;
  store.isFull = true;
  for (const room of rooms) room();
  t.equal(calls.filter((call) => call === 'abort').length, 1);
  t.equal(frames.length, length);
});

t.test('a grain of a resync is confirmed when it was read and is what the primary has', async (t) => {
  for (const [readResult, byte, expected, confirmed] of [
    [0, 6, 0, ['confirm 0']],
    [0, 5, 1, []],
    [-errno.EIO, 6, 2, []],
  ] as const) {
    const { calls, frames, its, take } = played();
    its.readResult = readResult;
    take('syncBegin', Buffer.from('2'.repeat(16), 'hex'), numbersBody(1, GRAIN, 0));
    await Promise.resolve();
    take('compare', ...extentsBody([{ sector: 0, sectors: GRAIN, data: sumOf(filled(GRAIN, byte)) }]));
    t.equal(frames.at(-1)?.[2]?.[0], expected);
    t.same(
      calls.filter((call) => call.startsWith('confirm')),
      confirmed,
    );
  }
});

t.test('a compare that waited for a commit is answered once', async (t) => {
  const { commits, frames, calls, take } = played();
  const commit = (epoch: number): void => take('commit', numbersBody(epoch), Buffer.from(GENERATION, 'hex'));
  const compared = (): number => frames.filter(([name]) => name === 'compared').length;
  commit(1);
  take('compare', ...extentsBody([{ sector: 0, sectors: GRAIN, data: sumOf(filled(GRAIN, 0)) }]));
  t.same([compared(), calls.at(-1)], [0, 'pause compare']);
  commits[0]?.(0);
  t.equal(compared(), 1);
  commit(2);
  commits[1]?.(0);
  t.equal(compared(), 1);
});

t.test('a resync that another one takes the place of is not heard of any more', async (t) => {
  const { world, frames, calls, take } = played();
  const begin = async (): Promise<void> => {
    take('syncBegin', Buffer.from('2'.repeat(16), 'hex'), numbersBody(1, GRAIN, 0));
    await Promise.resolve();
  };
  await begin();
  take('syncData', ...extentsBody([{ sector: 0, sectors: GRAIN, data: undefined }]));
  await begin();
  await world.run(3);
  t.notOk(calls.includes('sync'));
  t.notOk(frames.some(([name]) => name === 'progress'));
  take('syncData', ...extentsBody([{ sector: 0, sectors: GRAIN, data: undefined }]));
  await world.run(3);
  t.equal(frames.filter(([name]) => name === 'progress').length, 1);
});

t.test('of a checkpoint that was dropped nothing more is taken, until its abort', async (t) => {
  const { store, calls, commits, frames, take } = played();
  const write = (sector: number): void =>
    take('write', ...extentsBody([{ sector, sectors: 1, data: filled(1, 1) }]));
  store.hasRoom = false;
  store.isFull = true;
  write(0);
  t.same(calls, ['write 0', 'abort', 'resume room']);
  write(1);
  take('commit', numbersBody(1), Buffer.from(GENERATION, 'hex'));
  t.same([calls.length, commits.length, frames.map(([name]) => name)], [3, 0, ['fail']]);
  store.hasRoom = true;
  take('abort');
  write(2);
  t.same(calls.slice(3), ['abort', 'write 2']);
});

t.test('a commit that fails is not answered as done: it ends the connection', async (t) => {
  const { calls, commits, frames, take } = played();
  take('commit', numbersBody(1), Buffer.from(GENERATION, 'hex'));
  commits[0]?.(-errno.EIO);
  t.same(
    frames.map(([name]) => name),
    ['busy'],
  );
  t.same(calls.slice(0, 3), ['close', 'abort', 'lost: the backup cannot commit: EIO']);
});

t.test('a session that is over syncs nothing of its resync any more', async (t) => {
  const { world, session, calls, take } = played();
  take('syncBegin', Buffer.from('2'.repeat(16), 'hex'), numbersBody(1, GRAIN, 0));
  await Promise.resolve();
  take('syncData', ...extentsBody([{ sector: 0, sectors: GRAIN, data: undefined }]));
  session.close('paused', 'replication was paused');
  await world.run(3);
  t.notOk(calls.includes('sync'));
});

t.test('while more than 64 KiB of replies wait to be sent no frame is taken', async (t) => {
  const { link, commits, calls, take } = played();
  const replied = (epoch: number, queuedBytes: number): string | undefined => {
    take('commit', numbersBody(epoch), Buffer.from(GENERATION, 'hex'));
    calls.length = 0;
    Object.assign(link, { queuedBytes });
    commits[epoch - 1]?.(0);
    return calls[0];
  };
  t.equal(replied(1, 64 << 10), 'resume answers');
  t.equal(replied(2, (64 << 10) + 1), 'pause answers');
  calls.length = 0;
  link.events.drained();
  t.same(calls, ['pause answers']);
  Object.assign(link, { queuedBytes: 64 << 10 });
  link.events.drained();
  t.same(calls, ['pause answers', 'resume answers']);
});

t.test('a session ends once', async (t) => {
  const { session, calls, frames } = played();
  session.close('paused', 'replication was paused');
  session.close('paused', 'replication was paused');
  t.same([frames.map(([name]) => name), calls], [['busy'], ['close', 'abort']]);
});

t.test('a resync that cannot begin ends the connection, unless that is over by then', async (t) => {
  for (const isOver of [false, true]) {
    const { session, calls, frames, its, take } = played();
    const begun = Promise.reject(new StateError('cannot create the file', -errno.ENOSPC));
    its.beginSync = () => begun;
    take('syncBegin', Buffer.from('2'.repeat(16), 'hex'), numbersBody(1, GRAIN, 0));
    if (isOver) session.close('paused', 'replication was paused');
    await begun.catch(() => {});
    await Promise.resolve();
    const [, reason] = frames[0] as [string, Uint8Array];
    t.match(decodeReason(Buffer.from(reason)), { code: isOver ? 'paused' : 'no-room' });
    const lost = isOver ? [] : ['lost: cannot create the file: ENOSPC'];
    t.same([frames.length, calls], [1, ['pause begin', 'close', 'abort', ...lost]]);
  }
});

t.test('writes go on once the journal has room, not before', async (t) => {
  const { store, rooms, calls, take } = played();
  store.hasRoom = false;
  take('write', ...extentsBody([{ sector: 0, sectors: 1, data: filled(1, 1) }]));
  rooms[0]?.();
  t.same([calls, rooms.length], [['write 0', 'pause room', 'pause room'], 2]);
  store.hasRoom = true;
  rooms[1]?.();
  t.same([calls.slice(3), rooms.length], [['resume room'], 2]);
});

t.test('no frame is taken while 16 MiB of a resync are being written', async (t) => {
  const { calls, its, take } = played();
  const writing: ((result: number) => void)[] = [];
  its.zero = (done) => writing.push(done);
  take('syncBegin', Buffer.from('2'.repeat(16), 'hex'), numbersBody(1, GRAIN, 0));
  await Promise.resolve();
  calls.length = 0;
  const takeDisk = (): void =>
    take('syncData', ...extentsBody([{ sector: 0, sectors: SECTORS, data: undefined }]));
  for (let count = 0; count < 7; count++) takeDisk();
  t.same(calls, []);
  for (let count = 0; count < 2; count++) takeDisk();
  t.same(calls, ['pause sync', 'pause sync']);
  writing[0]?.(0);
  t.equal(calls.length, 2);
  writing[1]?.(0);
  t.same(calls.slice(2), ['resume sync']);
});

t.test('a commit after which the journal has no room lets no frame come', async (t) => {
  const { store, calls, commits, take } = played();
  store.hasRoom = false;
  take('commit', numbersBody(1), Buffer.from(GENERATION, 'hex'));
  t.same([calls, commits.length], [['pause room'], 1]);
});

t.test('a commit that ends after its session has no reply', async (t) => {
  const { session, calls, commits, frames, take } = played();
  take('commit', numbersBody(1), Buffer.from(GENERATION, 'hex'));
  session.close('paused', 'replication was paused');
  commits[0]?.(0);
  t.same([frames.map(([name]) => name), calls], [['busy'], ['close', 'abort']]);
});

t.test('a resync whose commit has come is not synced by itself any more', async (t) => {
  const { world, calls, commits, frames, take } = played();
  take('syncBegin', Buffer.from('2'.repeat(16), 'hex'), numbersBody(1, GRAIN, 0));
  await Promise.resolve();
  take('syncData', ...extentsBody([{ sector: 0, sectors: GRAIN, data: undefined }]));
  take('commit', numbersBody(1), Buffer.from(GENERATION, 'hex'));
  await world.run(3);
  t.equal(commits.length, 1);
  t.notOk(calls.includes('sync'));
  t.notOk(frames.some(([name]) => name === 'progress'));
});

t.test(
  'a resync has as many grains as the disk, the last one maybe shorter, and may be the first',
  async (t) => {
    const { store, its, take } = played();
    const asked: unknown[][] = [];
    const { beginSync } = its;
    its.beginSync = (...args) => {
      asked.push(args);
      return beginSync();
    };
    store.sectors = SECTORS + 8;
    const id = '2'.repeat(16);
    const begin = (grains: number, first: number): void =>
      take('syncBegin', Buffer.from(id, 'hex'), numbersBody(grains, GRAIN, first));
    begin(33, 0);
    begin(33, 1);
    t.throws(() => begin(34, 0), { message: '34 grains are more than the disk has' });
    t.same(asked, [
      [id, 33, false],
      [id, 33, true],
    ]);
  },
);
