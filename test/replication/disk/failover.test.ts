// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { CheckpointView } from '../../../src/replication/disk/disk-replication.js';
import { NOTHING_SURVIVES } from '../../../src/testing/index.js';
import { DIRECTORY, type Pair, pair, type SideNode } from './world.js';

const SECTOR = 512;
const filled = (sectors: number, byte: number): Buffer => Buffer.alloc(sectors * SECTOR, byte);

/** A pair that is protected, with a committed write of 1 at sector 100 and an open one of 2 at sector 500. */
async function protectedPair({ world, a }: Pair): Promise<void> {
  await a.until('protected');
  await a.write(100, 8, 1);
  await a.checkpoint();
  await a.write(500, 8, 2);
  await world.run(0.1);
}

const at = async (side: SideNode, sector: number): Promise<number> => (await side.read(sector, 1))[0] ?? -1;

/** The primary is lost and the backup takes its place. */
async function failOver(both: Pair, write: boolean): Promise<void> {
  const { a, b, world } = both;
  await protectedPair(both);
  a.host.crash('silence');
  await world.run(8);
  const promoted = await b.command((done) => b.engine.promote({}, done));
  if (promoted.result !== 0) throw new Error(promoted.message);
  if (write) await b.write(200, 8, 3);
}

/** The connection is cut, the primary writes 6 at sector 600, and the backup takes its place. */
async function promoteApart(both: Pair): Promise<void> {
  const { a, b, world } = both;
  await protectedPair(both);
  world.partition(a.host);
  await a.until('unprotected');
  await a.write(600, 8, 6);
  await world.run(8);
  await b.command((done) => b.engine.promote({}, done));
}

/** Both sides have written alone, and have met since; the backup that was promoted wrote 7 at sector 700. */
async function splitBrain(both: Pair): Promise<void> {
  const { a, b, world } = both;
  await promoteApart(both);
  await b.write(700, 8, 7);
  world.heal();
  await a.until('split-brain');
  await b.until('split-brain');
}

t.test('a backup takes no write and is not promoted while its primary is there', async (t) => {
  const both = pair(t);
  const { b } = both;
  await protectedPair(both);
  t.equal(await b.write(0, 1, 9), -errno.EROFS);
  const outcome = await b.command((done) => b.engine.promote({}, done));
  t.equal(outcome.result, -errno.EBUSY);
  t.match(outcome.message, 'the primary is connected');
});

t.test('a promoted backup has the last checkpoint, and serves it', async (t) => {
  const both = pair(t);
  await failOver(both, true);
  const { b } = both;
  t.equal(await at(b, 100), 1);
  t.equal(await at(b, 500), 0, 'what was open is lost');
  t.equal(await at(b, 200), 3);
  t.equal(b.engine.status().state, 'unprotected');
  b.host.restart();
  await b.until('unprotected');
  t.equal(b.engine.status().role, 'primary', 'and is the primary after a restart');
  t.equal(await at(b, 200), 3);
});

for (const wrote of [true, false]) {
  const how = wrote ? 'has written' : 'has not written';
  t.test(`Q4: an old primary is stale once it meets the survivor, which ${how}; it rejoins`, async (t) => {
    const both = pair(t);
    await failOver(both, wrote);
    const { a, b } = both;
    a.host.restart();
    await a.until('stale');
    t.equal(await a.write(0, 1, 9), -errno.EROFS);
    t.equal(await at(b, 500), 0, 'the survivor is as it was');
    const dry = await a.command((done) => a.engine.rejoin({ dryRun: true }, done));
    t.ok(dry.sectorsLost > 0, 'and a dry run says what would be lost');
    t.equal(a.engine.status().state, 'stale');
    a.host.restart();
    await a.until('stale');
    t.equal((await a.command((done) => a.engine.rejoin({}, done))).result, 0);
    const flushed = await a.call((done) => a.engine.flush(done));
    t.equal(flushed, -errno.EROFS, 'whoever wrote before does not hear that it is durable');
    await b.until('protected', 60);
    t.equal(a.engine.status().state, 'backup');
    await b.write(300, 8, 4);
    await b.checkpoint();
    t.ok((await a.read()).equals(await b.read()), 'both are equal');
    t.equal(await at(a, 500), 0);
  });
}

t.test('a survivor without writes yields to a primary with writes, and loses nothing', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await promoteApart(both);
  world.heal();
  await b.until('stale');
  t.equal(await at(a, 600), 6);
  t.equal((await b.command((done) => b.engine.rejoin({}, done))).result, 0);
  await a.until('protected');
  t.ok((await a.read()).equals(await b.read()));
});

t.test('Q14: if both have written it is a split brain until one sets its changes aside', async (t) => {
  const both = pair(t);
  const { a, b } = both;
  await splitBrain(both);
  t.equal(await at(a, 600), 6);
  t.equal(await at(b, 700), 7);
  const refused = await a.command((done) => a.engine.rejoin({}, done));
  t.equal(refused.result, -errno.EINVAL);
  t.match(refused.message, 'discard');
  const before = Buffer.from(a.image());
  const outcome = await a.command((done) => a.engine.discard({ keep: '/srv/kept' }, done));
  t.equal(outcome.result, 0);
  const kept = Buffer.from(a.host.files.contents('/srv/kept'));
  const { ranges } = JSON.parse(Buffer.from(a.host.files.contents('/srv/kept.json')).toString());
  t.equal(kept.length, before.length);
  t.ok(ranges.length > 0);
  for (const { sector, sectors } of ranges) {
    const [from, to] = [sector * SECTOR, (sector + sectors) * SECTOR];
    t.ok(kept.subarray(from, to).equals(before.subarray(from, to)), `${sectors} sectors at ${sector}`);
  }
  t.ok(kept.subarray(600 * SECTOR, 608 * SECTOR).equals(filled(8, 6)));
  await b.until('protected');
  t.ok((await a.read()).equals(await b.read()));
  t.equal(await at(a, 700), 7);
});

t.test('an old primary with more checkpoints than the survivor yields to it', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await protectedPair(both);
  b.host.files.stall(3);
  for (let round = 0; round < 40; round++) {
    a.engine.write(600, filled(8, 10 + round), () => {});
    a.engine.checkpoint(() => {});
    await world.run(0.01);
  }
  b.host.crash('silence');
  await a.until('unprotected');
  await a.write(600, 8, 6);
  world.partition(a.host);
  b.host.restart();
  await b.until('backup');
  await b.command((done) => b.engine.promote({}, done));
  await b.write(700, 8, 7);
  world.heal();
  await a.until('split-brain');
  t.equal((await a.command((done) => a.engine.discard({ keep: '/srv/kept' }, done))).result, 0);
  await b.until('protected');
  t.notOk(a.events.some((event) => event.kind === 'disconnected' && /protocol/.test(event.reason)));
  t.ok((await a.read()).equals(await b.read()));
  a.host.restart();
  await b.until('unprotected');
  await b.until('protected');
  await b.write(800, 8, 8);
  t.ok((await b.checkpoint()) > 0);
  t.equal(await at(a, 800), 8, 'and goes on from there after a restart');
});

t.test('a primary that was rolled back is followed after a full comparison was ordered', async (t) => {
  const both = pair(t);
  const { a, b } = both;
  await a.until('protected');
  a.host.crash('end of file');
  const metadata = '/srv/disk.img.remus/metadata';
  const older = a.host.files.contents(metadata).slice();
  a.host.restart();
  await a.until('protected');
  for (let round = 0; round < 20; round++) {
    await a.write(100, 8, round);
    await a.checkpoint();
  }
  a.host.crash('end of file');
  a.host.files.put(metadata, older);
  a.host.restart();
  await a.until('unprotected');
  await a.command((done) => a.engine.resync({ full: true }, done));
  await a.until('protected');
  await a.write(300, 8, 3);
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('Q6: during a resync the backup is usable at its last checkpoint', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await protectedPair(both);
  world.partition(a.host);
  await a.until('unprotected');
  for (let sector = 0; sector < 4096; sector += 512) await a.write(sector, 512, 8);
  world.link(a.host, b.host).shape({ bytesPerSecond: 100_000 });
  world.heal();
  await a.until('catching-up');
  await world.run(() => (a.engine.status().resync?.bytes ?? 0) > 500_000);
  t.equal(await at(b, 100), 1);
  a.host.crash('silence');
  await world.run(8);
  t.ok(b.host.files.contents(`${DIRECTORY}/resync`).length > 0);
  t.equal((await b.command((done) => b.engine.promote({}, done))).result, 0);
  t.throws(() => b.host.files.contents(`${DIRECTORY}/resync`), 'what had come of it is removed');
  t.equal(await at(b, 100), 1);
  t.equal(await at(b, 0), 0);
  t.equal(await at(b, 4000), 0);
});

t.test('a view stays at its checkpoint while protection goes on', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await protectedPair(both);
  const view = await world.complete(
    new Promise<CheckpointView>((resolve, reject) => {
      b.engine.openCheckpoint((result, opened) =>
        opened ? resolve(opened) : reject(new Error(`${result}`)),
      );
    }),
  );
  const read = async (): Promise<Buffer> => {
    const buffer = Buffer.alloc(SECTOR);
    await b.call((done) => view.read(100, buffer, done));
    return buffer;
  };
  for (let byte = 10; byte < 14; byte++) {
    await a.write(100, 8, byte);
    t.ok((await a.checkpoint()) > view.epoch);
    t.equal((await read())[0], 1);
  }
  view.close();
  await world.run(1);
  t.equal(await at(b, 100), 13);
  t.equal(b.image()[100 * SECTOR], 13, 'and is applied once the view is closed');
});

t.test(
  'a side that gives its changes up has the line that it had as a primary, not one of its old journal',
  async (t) => {
    const both = pair(t);
    const { a, b } = both;
    await splitBrain(both);
    const { line } = b.engine.standing();
    t.ok(line.length > 1, 'its own generation, and that of the checkpoint that it was promoted at');
    t.equal((await b.command((done) => b.engine.discard({ keep: '/srv/kept' }, done))).result, 0);
    t.same(b.engine.standing().line, line);
    b.host.restart();
    await a.until('protected', 120);
    t.ok((await a.read()).equals(await b.read()));
  },
);

t.test('two failovers, one after the other, need no decision about a split brain', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await protectedPair(both);
  for (const [primary, backup] of [
    [a, b],
    [b, a],
    [a, b],
  ] as const) {
    primary.host.crash('end of file');
    await world.run(1);
    t.equal((await backup.command((done) => backup.engine.promote({}, done))).result, 0);
    primary.host.restart();
    await primary.until('stale', 30);
    t.equal((await primary.command((done) => primary.engine.rejoin({}, done))).result, 0);
    await backup.until('protected', 60);
    await backup.write(100, 8, 9);
    t.ok((await backup.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()));
  }
});

t.test('a backup whose last done was lost is known again after its primary has written alone', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await protectedPair(both);
  const link = world.link(a.host, b.host).cut('back');
  const epoch = b.engine.status().epochCommitted;
  t.ok((await a.checkpoint()) < 0, 'its primary does not hear of the checkpoint');
  t.equal(b.engine.status().epochCommitted, epoch + 1);
  await a.until('unprotected');
  await a.write(600, 8, 6);
  link.heal();
  await a.until('protected');
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('a backup is known again by a primary that has begun two generations since', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await protectedPair(both);
  b.host.crash('reset');
  await a.until('unprotected');
  await a.write(600, 8, 6);
  const second = a.engine.status().generation;
  // A checkpoint of the second generation is sent, and not committed.
  const files = ['journal-0', 'journal-1'].map((name) => `${DIRECTORY}/${name}`);
  const { epochSent } = a.engine.status();
  b.host.restart();
  await b.until('backup');
  for (const file of files) b.held.hold('fdatasync', file);
  await world.run(() => a.engine.status().epochSent > epochSent);
  await world.run(0.5);
  b.host.files.losePower(NOTHING_SURVIVES);
  b.host.crash('reset');
  for (const file of files) b.held.release('fdatasync', file);
  await a.until('unprotected');
  await a.write(600, 8, 7);
  t.not(a.engine.status().generation, second);
  const known = a.engine.standing().line.map(({ generation }) => generation);
  t.equal(known.length, 3);
  b.host.restart();
  await b.until('backup');
  t.equal(b.engine.standing().line[0]?.generation, known[2], 'the backup has nothing of the second one');
  await a.until('protected');
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()));
});

for (const takesBack of ['a', 'b'] as const) {
  t.test(
    `when both sides give their changes up, neither is lost, and ${takesBack} takes its own back`,
    async (t) => {
      const both = pair(t);
      const { a, b, world } = both;
      await splitBrain(both);
      const images = [a, b].map((side) => Buffer.from(side.image()));
      world.partition(a.host);
      for (const side of [a, b]) {
        const keep = '/srv/kept';
        const dry = await side.command((done) => side.engine.discard({ keep, dryRun: true }, done));
        t.ok(dry.sectorsLost > 0);
        t.match(dry.message, 'if both gave up, promote one', 'an order that destroys nothing by itself');
        t.equal((await side.command((done) => side.engine.discard({ keep }, done))).result, 0);
      }
      world.heal();
      await world.run(30);
      for (const [index, side] of [a, b].entries()) {
        t.equal(side.engine.status().state, 'inconsistent');
        t.match(side.engine.status().lastError, 'both sides are backups: promote one of them');
        t.ok(images[index]?.equals(side.image()), 'its image is as it was');
        side.host.restart();
        await side.until('inconsistent');
      }
      const survivor = both[takesBack];
      const [sector, byte] = takesBack === 'a' ? ([600, 6] as const) : ([700, 7] as const);
      const dry = await survivor.command((done) => survivor.engine.promote({ dryRun: true }, done));
      t.match(dry, { result: 0, message: 'with the changes that it had given up' });
      // The other one may be connected for a moment, to be refused.
      let promoted = await survivor.command((done) => survivor.engine.promote({}, done));
      for (; promoted.result === -errno.EBUSY; await world.run(0.1))
        promoted = await survivor.command((done) => survivor.engine.promote({}, done));
      t.equal(promoted.result, 0);
      t.equal(await at(survivor, sector), byte);
      await survivor.until('protected');
      t.ok((await survivor.checkpoint()) > 0);
      t.ok((await a.read()).equals(await b.read()));
      t.equal(await at(survivor, sector), byte);
    },
  );
}

t.test('a side that gave its changes up cannot have them back once it has the other side’s', async (t) => {
  const both = pair(t);
  const { a, b, world } = both;
  await splitBrain(both);
  // The checkpoint is committed, but the metadata do not say so yet.
  t.equal((await a.command((done) => a.engine.discard({ keep: '/srv/kept' }, done))).result, 0);
  const [resync, metadata] = [`${DIRECTORY}/resync`, `${DIRECTORY}/metadata`];
  a.held.hold('fdatasync', resync);
  await world.run(() => a.held.waiting('fdatasync', resync) > 0);
  a.held.hold('fdatasync', metadata);
  a.held.release('fdatasync', resync);
  await world.run(() => a.held.waiting('fdatasync', metadata) > 0);
  world.partition(a.host);
  a.host.files.losePower(NOTHING_SURVIVES);
  a.host.crash('reset');
  a.held.release('fdatasync', metadata);
  a.host.restart();
  await world.run(() => a.isUp);
  const outcome = await a.command((done) => a.engine.promote({}, done));
  t.match(outcome, { result: -errno.EINVAL, message: 'it is rejoining' });
  world.heal();
  await b.until('protected');
  t.ok((await a.read()).equals(await b.read()));
});
