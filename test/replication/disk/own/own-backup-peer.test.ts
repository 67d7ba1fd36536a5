// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A primary, and a backup whose frames are written by hand.

import { createHash } from 'node:crypto';
import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import type { CommandOutcome } from '../../../../src/replication/disk/disk-replication.js';
import { OwnBackupPeer } from '../../../../src/replication/disk/own/own-backup-peer.js';
import { OwnLink, type OwnLinkEvents } from '../../../../src/replication/disk/own/own-link.js';
import { encodeReason } from '../../../../src/replication/disk/own/reason.js';
import type { BackupPeerEvents } from '../../../../src/replication/disk/sessions.js';
import type { Standing } from '../../../../src/replication/disk/standing.js';
import { numbersBody, readExtents } from '../../../../src/replication/disk/wire/frame.js';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { connection, type End } from '../connection.js';
import { IMAGE, type NodeOptions, SECTORS, SideNode } from '../world.js';
import { type Frame, HandPeer, standing } from './hand-peer.js';
import { acceptOwn, reasonOf } from './one-side.js';

const SECTOR = 512;
const GRAIN = 128;

const extentsOf = ({ body }: Frame) => readExtents(body, SECTORS);
const u64 = ({ body }: Frame, at: number): number => Number(body.readBigUInt64LE(at));

/** A primary that has met a backup, which has told it what it is. */
async function met(options: NodeOptions = {}, its: Partial<Standing> = {}) {
  const world = new SimulatedWorld({ seed: 1 });
  world.host('10.0.0.2');
  const a = new SideNode(world, '10.0.0.1', options, { sectors: SECTORS, fill: 0 });
  await world.complete(a.opened);
  const accept = async (more: Partial<Standing> = {}): Promise<HandPeer> => {
    const peer = await acceptOwn(world);
    peer.hello(standing('backup', more));
    await peer.next('hello');
    return peer;
  };
  return { world, a, backup: await accept(its), accept };
}

/** The same, up to the end of the first sync. */
async function protectedBy(options: NodeOptions = {}) {
  const both = await met(options);
  const { a, backup } = both;
  await backup.next('commit');
  backup.numbers('done', 1);
  await a.until('protected');
  backup.frames.splice(0);
  return both;
}

t.test('a probe comes first, then what the primary is', async (t) => {
  const world = new SimulatedWorld({ seed: 1 });
  world.host('10.0.0.2');
  const a = new SideNode(world, '10.0.0.1', {});
  await world.complete(a.opened);
  const backup = await HandPeer.accept(world);
  t.equal(backup.tag, 'tdtsrp01creq');
  backup.raw(Buffer.from('rp01'));
  const hello = JSON.parse((await backup.next('hello')).body.toString());
  t.match(hello, {
    standing: { role: 'primary', sectors: SECTORS, grainSectors: GRAIN, hasState: true, full: false },
  });
  t.equal(hello.standing.line.length, 1);
});

t.test('a first sync sends every grain, zeroes without data, and a commit ends it', async (t) => {
  const world = new SimulatedWorld({ seed: 1 });
  world.host('10.0.0.2');
  const a = new SideNode(world, '10.0.0.1', {});
  await world.complete(a.opened);
  await a.write(GRAIN, 8, 7);
  await a.write(2 * GRAIN, 8, 7);
  const backup = await HandPeer.accept(world);
  backup.raw(Buffer.from('rp01'));
  backup.hello(standing('backup'));
  const begin = await backup.next('syncBegin');
  t.equal(begin.body.length, 32);
  t.same([u64(begin, 8), u64(begin, 16), u64(begin, 24)], [SECTORS / GRAIN, GRAIN, 1]);
  const commit = await backup.next('commit');
  t.equal(u64(commit, 0), 1);
  t.equal(commit.body.toString('hex', 8), a.engine.status().generation);
  const sent = backup.frames.filter(({ name }) => name === 'syncData');
  const extents = sent.flatMap(extentsOf).sort((one, other) => one.sector - other.sector);
  let next = 0;
  for (const { sector, sectors, data } of extents) {
    t.equal(sector, next);
    next += sectors;
    const hasData = sector === GRAIN || sector === 2 * GRAIN;
    t.equal(data !== undefined, hasData, `${sectors} sectors at ${sector}`);
    if (hasData) t.equal(sectors, GRAIN, 'each grain of data has its crc');
  }
  t.equal(next, SECTORS);
  t.match(a.engine.status(), { state: 'catching-up', resyncBytesTotal: SECTORS * SECTOR, epochSent: 1 });
  backup.numbers('done', 1);
  await a.until('protected');
  t.match(a.engine.status(), { epochCommitted: 1, dirtyBytes: 0, checkpoints: 1, peerVersion: 'by hand' });
});

t.test('writes are sent as they come, and a checkpoint ends with the answer to its commit', async (t) => {
  const { a, world, backup } = await protectedBy();
  await a.write(8, 2, 3);
  await a.write(16, 8, 0);
  await a.call((done) => a.engine.zero(32, 4, done));
  t.match(a.engine.status(), { openBytes: 14 * SECTOR, dirtyBytes: GRAIN * SECTOR });
  let result: number | undefined;
  a.engine.checkpoint((ended) => (result = ended));
  const commit = await backup.next('commit');
  t.equal(u64(commit, 0), 2);
  const writes = backup.frames.filter(({ name }) => name === 'write').flatMap(extentsOf);
  t.same(
    writes.map(({ sector, sectors, data }) => [sector, sectors, data?.[0]]),
    [
      [8, 2, 3],
      [16, 8, undefined],
      [32, 4, undefined],
    ],
  );
  await world.run(1);
  t.equal(result, undefined);
  t.match(a.engine.status(), { openBytes: 0, epochCommitted: 1, epochSent: 2 });
  backup.numbers('done', 2);
  await world.run(0.1);
  t.equal(result, 2);
  t.match(a.engine.status(), { epochCommitted: 2, dirtyBytes: 0 });
});

t.test('a write of more than a frame may have is sent in several', async (t) => {
  const { a, backup } = await protectedBy();
  const bytes = Buffer.from(Uint8Array.from({ length: 3000 * SECTOR }, (_, at) => 1 + (at % 251)));
  t.equal(await a.call((done) => a.engine.write(5, bytes, done)), 0);
  a.engine.checkpoint(() => {});
  await backup.next('commit');
  const writes = backup.frames.filter(({ name }) => name === 'write').flatMap(extentsOf);
  t.same(
    writes.map(({ sector, sectors }) => [sector, sectors]),
    [
      [5, 2048],
      [2053, 952],
    ],
  );
  t.ok(Buffer.concat(writes.map(({ data }) => data as Uint8Array)).equals(bytes));
});

t.test('so is a range of more zeroes than a frame may cover', async (t) => {
  const { world, near, far } = await connection();
  const [most, rest] = [2 ** 21, 2 ** 20];
  const come: (number | undefined)[][] = [];
  const linkAt = ({ timers, fd }: End, frame: OwnLinkEvents['frame']): OwnLink => {
    const stream = new PeerStream(timers, fd, { bytes() {}, drained() {}, ended() {} });
    const periods = { pingSeconds: 1, peerTimeoutSeconds: 5 };
    return new OwnLink({ host: timers, stream, ...periods }, { frame, drained() {}, lost() {} });
  };
  const link = linkAt(near, () => {});
  const other = linkAt(far, (_, body) => {
    for (const { sector, sectors, data } of readExtents(body, 2 ** 24))
      come.push([sector, sectors, data?.length]);
  });
  link.start(new Uint8Array(0));
  other.start(new Uint8Array(0));
  const peer = new OwnBackupPeer(link, 2 ** 16, GRAIN, {} as BackupPeerEvents);
  peer.zero(5, 2 * most + rest);
  t.equal(peer.sync.zero(0, most + 8), 4, 'its answer is that to the last one');
  await world.run(0.1);
  t.same(come, [
    [5, most, undefined],
    [5 + most, most, undefined],
    [5 + 2 * most, rest, undefined],
    [0, most, undefined],
    [most, 8, undefined],
  ]);
  link.close();
  other.close();
});

t.test('one answer may be about several commits', async (t) => {
  const { a, world, backup } = await protectedBy();
  const results: number[] = [];
  for (const round of [1, 2]) {
    await a.write(8, 2, round);
    a.engine.checkpoint((ended) => results.push(ended));
    await backup.next('commit');
  }
  backup.numbers('done', 3);
  await world.run(0.1);
  t.same(results, [2, 3]);
  t.match(a.engine.status(), { epochCommitted: 3, state: 'protected' });
});

/** Replies to what the primary has not sent. */
const TOO_MUCH: readonly [string, (backup: HandPeer, a: SideNode) => Promise<void>, RegExp][] = [
  [
    'a done for a checkpoint whose commit was not sent',
    async (backup, a) => {
      await a.write(8, 2, 3);
      a.engine.checkpoint(() => {});
      await backup.next('commit');
      backup.numbers('done', 9);
    },
    /done names epoch 9, expected 2$/,
  ],
  [
    'a done without any commit',
    (backup) => Promise.resolve(void backup.numbers('done', 2)),
    /done names epoch 2, expected none$/,
  ],
  [
    'a done that goes back',
    async (backup, a) => {
      for (const epoch of [2, 3]) {
        await a.write(8, 2, epoch);
        a.engine.checkpoint(() => {});
        await backup.next('commit');
      }
      backup.numbers('done', 2);
      backup.numbers('done', 1);
    },
    /done names epoch 1, expected 3$/,
  ],
  [
    'a progress of sync data that were not sent',
    (backup) => Promise.resolve(void backup.numbers('progress', 1_000_000)),
    /progress names frame 1000000, expected 0 to \d+$/,
  ],
  [
    'a reply to a comparison that was not asked for',
    (backup) => Promise.resolve(void backup.send('compared', numbersBody(3), Buffer.of(0))),
    /compared names frame 3, which is not a compare that waits for its reply$/,
  ],
];
for (const [what, send, why] of TOO_MUCH) {
  t.test(`${what} ends the connection, and nothing counts as committed by it`, async (t) => {
    const { a, world, backup } = await protectedBy();
    await send(backup, a);
    await a.until('unprotected');
    t.match(reasonOf(a), why);
    t.ok((a.engine.status().epochCommitted ?? 0) <= 2, 'no more than what was confirmed');
    await world.run(0.1);
    t.not(backup.end, undefined);
  });
}

t.test('a progress that goes back ends the connection, and so does a reply that comes twice', async (t) => {
  const first = await met();
  const data = await first.backup.next('syncData');
  await first.backup.next('commit');
  first.backup.numbers('progress', data.sequence);
  first.backup.numbers('progress', data.sequence - 1);
  await first.a.until('unprotected');
  t.match(reasonOf(first.a), /progress names frame \d+, expected \d+ to \d+$/);
  const { a, backup } = await protectedBy({ verifyBytesPerSecond: 4 * GRAIN * SECTOR });
  const { sequence } = await backup.next('compare');
  for (let count = 0; count < 2; count++) backup.send('compared', numbersBody(sequence), Buffer.of(0));
  await a.until('unprotected');
  t.match(reasonOf(a), /is not a compare that waits/);
});

t.test('what a backup cannot commit is dropped, and sent again', async (t) => {
  const { a, world, backup } = await protectedBy();
  await a.write(8, 2, 3);
  const results: number[] = [];
  a.engine.checkpoint((ended) => results.push(ended));
  await backup.next('commit');
  backup.frames.splice(0);
  backup.send('fail', encodeReason('full', 'too large', 2));
  await backup.next('abort');
  await world.run(0.1);
  t.same(results, [-errno.ECONNABORTED]);
  t.match(a.engine.status(), { failedCheckpoints: 1, state: 'catching-up' });
  const failed = a.events.find((event) => event.kind === 'checkpoint' && event.failure !== null);
  t.match(failed, { epoch: 2, failure: 'too large' });
  const begin = await backup.next('syncBegin');
  t.same([u64(begin, 8), u64(begin, 24)], [1, 0]);
  t.equal(u64(await backup.next('commit'), 0), 3);
  const [again] = backup.frames.filter(({ name }) => name === 'syncData').flatMap(extentsOf);
  t.same([again?.sector, again?.sectors, again?.data?.[8 * SECTOR]], [0, GRAIN, 3]);
  backup.numbers('done', 3);
  await a.until('protected');
});

t.test('busy and refused end the connection with what the backup says', async (t) => {
  for (const name of ['busy', 'refused'] as const) {
    const { a, world, backup } = await protectedBy();
    backup.send(name, encodeReason('code', 'because of that'));
    await a.until('unprotected');
    t.equal(reasonOf(a), 'the backup ends the connection: because of that');
    await world.run(0.1);
    t.not(backup.end, undefined);
  }
});

t.test('a backup without room is asked again after a minute, and what waits for it is shown', async (t) => {
  const { a, world, backup } = await met();
  await backup.next('syncBegin');
  backup.send('busy', encodeReason('no-room', 'the disk is full'));
  await a.until('unprotected');
  const since = world.nowSeconds;
  t.same(a.engine.status().resync, {
    bytes: 0,
    totalBytes: SECTORS * SECTOR,
    bytesPerSecond: 0,
    secondsLeft: null,
    waitingFor: 'room at the backup',
  });
  t.match(a.events.filter(({ kind }) => kind === 'resync').at(-1), {
    what: 'waiting',
    reason: /the disk is full/,
  });
  const again = HandPeer.accept(world);
  await again;
  t.ok(world.nowSeconds - since >= 59, `${world.nowSeconds - since} s`);
  t.equal(a.engine.status().resync, null);
  (await again).raw(Buffer.from('rp01'));
  (await again).hello(standing('backup', { resyncId: a.engine.primary?.progress.id ?? null }));
  await a.until('catching-up');
  t.match(a.engine.status().resync, { waitingFor: null }, 'one under way waits for nothing');
});

for (const [what, send, why] of [
  ['a frame of a primary', (backup) => backup.send('abort'), /a backup does not send abort/],
  ['a done without a number', (backup) => backup.send('done'), /a body has 0 bytes, expected 8/],
  ['a progress of another length', (backup) => backup.numbers('progress', 1, 2), /has 16 bytes, expected 8/],
  ['a comparison without a number', (backup) => backup.send('compared', Buffer.alloc(3)), /has 3 bytes/],
  ['a fail without words', (backup) => backup.send('fail', Buffer.from('{}')), /lacks its code/],
] as readonly [string, (backup: HandPeer) => unknown, RegExp][]) {
  t.test(`${what} ends the connection`, async (t) => {
    const { a, backup } = await protectedBy();
    send(backup);
    await a.until('unprotected');
    t.match(reasonOf(a), why);
  });
}

t.test('a verification compares the sums of all grains, and says where the backup differs', async (t) => {
  const { a, world, backup } = await protectedBy({ verifyBytesPerSecond: 0 });
  await a.write(GRAIN, 8, 7);
  a.engine.checkpoint(() => {});
  await backup.next('commit');
  backup.numbers('done', 2);
  await world.run(0.1);
  let outcome: CommandOutcome | undefined;
  a.engine.verify((ended) => (outcome = ended));
  const seen: number[] = [];
  for (let count = 0; count < SECTORS / GRAIN; count++) {
    const { body, sequence } = await backup.next('compare');
    const [extent] = readExtents(body, SECTORS, 32);
    t.equal(extent?.sectors, GRAIN);
    seen.push(extent?.sector ?? -1);
    const content = Buffer.alloc(GRAIN * SECTOR);
    if (extent?.sector === GRAIN) content.fill(7, 0, 8 * SECTOR);
    const isEqual = createHash('sha256')
      .update(content)
      .digest()
      .equals(extent?.data as Uint8Array);
    t.ok(isEqual, 'the sum is that of the disk');
    // Two differ, and one cannot be read.
    const grain = (extent?.sector ?? 0) / GRAIN;
    const answer = grain === 3 || grain === 4 ? 1 : grain === 5 ? 2 : 0;
    backup.send('compared', numbersBody(sequence), Buffer.of(answer));
  }
  t.same(
    seen.sort((one, other) => one - other),
    Array.from({ length: SECTORS / GRAIN }, (_, grain) => grain * GRAIN),
  );
  await world.run(() => outcome !== undefined);
  t.match(outcome, { result: -errno.EBADMSG, message: /up to 256 sectors/ });
  t.match(a.engine.status(), { state: 'inconsistent', verifyDifferences: 2 * GRAIN });
  const found = a.events.flatMap((event) =>
    event.kind === 'verify' ? [`${event.what}: ${event.sectors} at ${event.sector}`] : [],
  );
  t.same(found.sort(), [
    'difference: 128 at 384',
    'difference: 128 at 512',
    'ended: 4096 at 0',
    'unreadable: 128 at 640',
  ]);
  const errors = a.events.flatMap((event) => (event.kind === 'error' ? [event.message] : []));
  t.same(errors.sort(), [
    'the backup cannot read what it has within 128 sectors at 640',
    'the backup differs within 128 sectors at 384',
    'the backup differs within 128 sectors at 512',
  ]);
  t.match(a.engine.status().reason, /^the backup differs within 128 sectors at/);
  t.match(await a.command((done) => a.engine.resync({}, done)), { result: 0, message: /sends 3 grains/ });
  const begin = await backup.next('syncBegin');
  t.equal(u64(begin, 8), 3);
  backup.numbers('done', u64(await backup.next('commit'), 0));
  await a.until('protected');
  t.equal(a.engine.status().verifyDifferences, 0);
});

t.test(
  'a backup that lost what it had is asked about every grain, and is sent those that differ',
  async (t) => {
    const { a, world, backup, accept } = await protectedBy();
    const { diskId, generation } = a.engine.status();
    await a.write(5 * GRAIN, 8, 7);
    backup.close();
    await a.until('unprotected');
    const line = [{ generation: generation ?? '', low: 0, high: 0 }];
    const again = await accept({ diskId, hasState: true, takesFirstSync: false, line });
    const begin = await again.next('syncBegin');
    t.same([u64(begin, 8), u64(begin, 24)], [SECTORS / GRAIN, 0]);
    for (let count = 0; count < SECTORS / GRAIN; count++) {
      const { body, sequence } = await again.next('compare');
      const [extent] = readExtents(body, SECTORS, 32);
      again.send('compared', numbersBody(sequence), Buffer.of(extent?.sector === 5 * GRAIN ? 1 : 0));
    }
    const commit = await again.next('commit');
    const sent = again.frames.filter(({ name }) => name === 'syncData').flatMap(extentsOf);
    t.same(
      sent.map(({ sector, sectors, data }) => [sector, sectors, data?.[0]]),
      [[5 * GRAIN, GRAIN, 7]],
    );
    t.ok(a.events.some((event) => event.kind === 'error' && /has lost checkpoints/.test(event.message)));
    again.numbers('done', u64(commit, 0));
    await a.until('protected');
    await world.run(1);
    t.equal(a.engine.status().dirtyBytes, 0);
  },
);

t.test('an answer to a compare that is none of the known ones counts as a difference', async (t) => {
  const { world, a, backup } = await protectedBy({ verifyBytesPerSecond: 0 });
  let outcome: CommandOutcome | undefined;
  a.engine.verify((ended) => (outcome = ended));
  for (let count = 0; count < SECTORS / GRAIN; count++) {
    const { sequence } = await backup.next('compare');
    const answer = count === 3 ? [3] : count === 4 ? [] : [0];
    backup.send('compared', numbersBody(sequence), Buffer.from(answer));
  }
  await world.run(() => outcome !== undefined);
  t.match(outcome, { result: -errno.EBADMSG, message: /up to 256 sectors/ });
});

t.test('a grain is not read for a comparison while it is written', async (t) => {
  const { a, world, backup } = await protectedBy({ verifyBytesPerSecond: 0 });
  a.held.hold('read', IMAGE);
  let outcome: CommandOutcome | undefined;
  a.engine.verify((ended) => (outcome = ended));
  await world.run(0.1);
  t.equal(a.held.waiting('read', IMAGE), 4, 'four at a time');
  await a.write(GRAIN, 8, 7);
  a.held.release('read', IMAGE);
  await world.run(0.5);
  const asked = backup.frames.flatMap(({ name, body }) =>
    name === 'compare' ? readExtents(body, SECTORS, 32).map(({ sector }) => sector) : [],
  );
  t.same(
    asked.sort((one, other) => one - other),
    [0, 2 * GRAIN, 3 * GRAIN, 4 * GRAIN],
    'as many are asked about at a time, but not the one that was written',
  );
  backup.close();
  await world.run(() => outcome !== undefined);
  t.equal(outcome?.result, 0);
});
