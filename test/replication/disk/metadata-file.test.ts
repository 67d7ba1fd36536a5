// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import {
  encodeMetadata,
  type Metadata,
  NO_DISK,
  NO_ID,
} from '../../../src/replication/disk/format/metadata-record.js';
import { MetadataFile } from '../../../src/replication/disk/metadata-file.js';
import { stateFiles } from './state-files.js';

const PATH = '/srv/metadata';
const COPY_AT = 4096;

const FIRST: Metadata = {
  update: 1,
  diskId: NO_DISK,
  sectors: 100,
  image: undefined,
  role: 'backup',
  grainSectors: 128,
  generation: NO_ID,
  sent: 0,
  acked: 0,
  firstLiveSegment: 1,
  resyncId: NO_ID,
  appliedCheckpoint: 0,
  mapSalt: NO_ID,
  ancestors: [],
  promoted: false,
  stale: false,
  splitBrain: false,
  peerIsOwn: false,
  hasState: false,
  clean: false,
  inconsistent: false,
  listens: false,
  rejoining: false,
};

async function created() {
  const its = stateFiles();
  const { world, files, notice } = its;
  const metadata = await world.complete(MetadataFile.create(files, PATH, FIRST));
  const load = () => world.complete(MetadataFile.load(files, PATH, notice));
  /** Puts two copies into the file; undefined: one that is damaged. */
  const put = (one: Partial<Metadata> | undefined, other: Partial<Metadata> | undefined): void => {
    const bytes = new Uint8Array(2 * COPY_AT);
    if (one) bytes.set(encodeMetadata({ ...FIRST, ...one }), 0);
    if (other) bytes.set(encodeMetadata({ ...FIRST, ...other }), COPY_AT);
    its.host.files.put(PATH, bytes);
  };
  const stored = (): Buffer => Buffer.from(its.host.files.contents(PATH));
  return { ...its, metadata, load, put, stored };
}

t.test('the first metadata are there whole, in two copies', async (t) => {
  const { metadata, stored, load, notices, host } = await created();
  t.same(metadata.current, FIRST);
  t.equal(stored().length, 2 * COPY_AT);
  for (const at of [0, COPY_AT])
    t.ok(
      stored()
        .subarray(at, at + 512)
        .equals(Buffer.from(encodeMetadata(FIRST))),
    );
  t.same((await load())?.current, FIRST);
  t.same(notices, []);
  t.throws(() => host.files.contents(`${PATH}.new`), 'under no other name');
});

t.test('the first metadata get their name once they are on stable storage', async (t) => {
  const { world, files, held, host } = stateFiles();
  held.hold('fdatasync', `${PATH}.new`);
  let isCreated = false;
  const creating = MetadataFile.create(files, PATH, FIRST).then(() => (isCreated = true));
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', `${PATH}.new`), 1);
  t.throws(() => host.files.contents(PATH));
  t.notOk(isCreated);
  held.release('fdatasync', `${PATH}.new`);
  await world.complete(creating);
  t.equal(host.files.contents(PATH).length, 2 * COPY_AT);
});

t.test('metadata that are missing are none', async (t) => {
  const { world, files, notice } = stateFiles();
  t.equal(await world.complete(MetadataFile.load(files, PATH, notice)), undefined);
});

t.test('an update is in force in memory at once, and done when both copies have it', async (t) => {
  const { metadata, world, held, stored, load, call } = await created();
  held.hold('fdatasync', PATH);
  const results: number[] = [];
  metadata.update({ sent: 5 }, (result) => results.push(result));
  t.match(metadata.current, { sent: 5, update: 2 });
  await world.run(0.1);
  t.same(results, []);
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same(results, [0]);
  t.ok(
    stored()
      .subarray(0, 512)
      .equals(stored().subarray(COPY_AT, COPY_AT + 512)),
  );
  t.match((await load())?.current, { sent: 5, update: 2 });
  t.equal(await call((done) => metadata.update({ acked: 4 }, done)), 0);
  t.match((await load())?.current, { sent: 5, acked: 4, update: 3 });
});

t.test('updates that come while one is written share the next write', async (t) => {
  const { metadata, world, held } = await created();
  held.hold('fdatasync', PATH);
  const log: string[] = [];
  for (const sent of [1, 2, 3]) metadata.update({ sent }, (result) => log.push(`${sent}: ${result}`));
  await world.run(0.1);
  held.release('fdatasync', PATH);
  held.hold('fdatasync', PATH);
  await world.run(0.1);
  t.same(log, ['1: 0'], 'they were not a part of the first one');
  t.equal(held.waiting('fdatasync', PATH), 1);
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same(log, ['1: 0', '2: 0', '3: 0']);
});

t.test('what is noted is taken along by the next update', async (t) => {
  const { metadata, load, call } = await created();
  metadata.note({ acked: 9 });
  t.match(metadata.current, { acked: 9, update: 1 });
  t.match((await load())?.current, { acked: 0 });
  t.equal(await call((done) => metadata.update({ sent: 9 }, done)), 0);
  t.match((await load())?.current, { acked: 9, sent: 9, update: 2 });
});

t.test('whoever waits for what was updated, hears of that alone', async (t) => {
  const { metadata, world, held } = await created();
  const log: string[] = [];
  metadata.note({ acked: 1 });
  metadata.whenDurable((result) => log.push(`nothing: ${result}`));
  t.same(log, ['nothing: 0'], 'what is only noted is not waited for');
  held.hold('fdatasync', PATH);
  metadata.update({ sent: 1 }, () => {});
  metadata.whenDurable((result) => log.push(`first: ${result}`));
  metadata.update({ sent: 2 }, () => {});
  metadata.whenDurable((result) => log.push(`second: ${result}`));
  await world.run(0.1);
  t.equal(log.length, 1);
  held.release('fdatasync', PATH);
  held.hold('fdatasync', PATH);
  await world.run(0.1);
  t.same(log.slice(1), ['first: 0']);
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same(log.slice(2), ['second: 0']);
});

t.test('to settle is to make durable what was noted, if anything was', async (t) => {
  const { metadata, world, held, load, call } = await created();
  held.hold('fdatasync', PATH);
  t.equal(await call((done) => metadata.settle(done)), 0, 'nothing was');
  const results: number[] = [];
  metadata.note({ acked: 9 });
  metadata.settle((result) => results.push(result));
  await world.run(0.1);
  t.same(results, []);
  metadata.settle((result) => results.push(result));
  await world.run(0.1);
  t.same(results, [], 'one that is on its way is waited for');
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same(results, [0, 0]);
  t.match((await load())?.current, { acked: 9 });
});

t.test('what an update has taken along is settled', async (t) => {
  const { metadata, held, call } = await created();
  metadata.note({ acked: 9 });
  t.equal(await call((done) => metadata.update({ sent: 9 }, done)), 0);
  held.hold('write', PATH);
  t.equal(await call((done) => metadata.settle(done)), 0);
  t.equal(held.waiting('write', PATH), 0);
});

t.test('an update that the end of another begins is one write', async (t) => {
  const { metadata, world, held } = await created();
  held.hold('fdatasync', PATH);
  metadata.update({ sent: 1 }, () => metadata.update({ sent: 2 }, () => {}));
  await world.run(0.1);
  metadata.update({ sent: 3 }, () => {});
  held.release('fdatasync', PATH);
  held.hold('fdatasync', PATH);
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATH), 1);
  held.release('fdatasync', PATH);
  await world.run(0.1);
});

t.test('metadata that are closed, or cannot be made or read, hold no file open', async (t) => {
  const { metadata, world, files, host, load } = await created();
  const open = () => host.leftovers().filter((line) => line.includes(': file '));
  await world.complete(metadata.close());
  t.same(open(), []);
  for (const call of ['fdatasync', 'fstat', 'read'] as const) {
    host.files.failCalls({ calls: [call], nth: 1, error: errno.EIO });
    await t.rejects(load(), { result: -errno.EIO, message: /metadata: EIO/ });
    t.same(open(), [], call);
  }
  for (const call of ['write', 'fdatasync', 'rename'] as const) {
    host.files.failCalls({ calls: [call], nth: 1, error: errno.EIO });
    await t.rejects(world.complete(MetadataFile.create(files, PATH, FIRST)), {
      result: -errno.EIO,
      message: /EIO/,
    });
    t.same(open(), [], call);
  }
});

for (const call of ['write', 'fdatasync'] as const) {
  t.test(`after a failed ${call} nothing is written any more, and everybody knows`, async (t) => {
    const { metadata, world, host, stored, call: wait } = await created();
    t.notOk(metadata.hasFailed);
    host.files.failCalls({ calls: [call], nth: 1, error: errno.EIO });
    const results: number[] = [];
    for (const sent of [1, 2]) metadata.update({ sent }, (result) => results.push(result));
    await world.run(0.1);
    t.same(results, [-errno.EIO, -errno.EIO]);
    t.ok(metadata.hasFailed);
    // A part of it may have been.
    const before = stored();
    t.equal(await wait((done) => metadata.update({ sent: 3 }, done)), -errno.EIO);
    t.equal(await wait((done) => metadata.settle(done)), -errno.EIO);
    t.equal(await wait((done) => metadata.whenDurable(done)), -errno.EIO);
    await world.run(0.1);
    t.ok(stored().equals(before));
  });
}

t.test('of two copies the newer one counts, and the other is written anew', async (t) => {
  const { put, load, stored, notices } = await created();
  for (const [one, other] of [
    [
      { update: 7, sent: 7 },
      { update: 8, sent: 8 },
    ],
    [
      { update: 8, sent: 8 },
      { update: 7, sent: 7 },
    ],
  ]) {
    put(one, other);
    const metadata = await load();
    t.match(metadata?.current, { sent: 8, update: 9 });
    t.ok(
      stored()
        .subarray(0, 512)
        .equals(stored().subarray(COPY_AT, COPY_AT + 512)),
    );
  }
  t.same(notices, [], 'neither was damaged');
});

t.test('one damaged copy is reported, and written anew', async (t) => {
  for (const damagedFirst of [true, false]) {
    const { put, load, stored, notices } = await created();
    if (damagedFirst) put(undefined, { update: 5 });
    else put({ update: 5 }, undefined);
    t.match((await load())?.current, { update: 6 });
    t.match(notices, [/\/srv\/metadata: one copy of the metadata was damaged/]);
    t.ok(
      stored()
        .subarray(0, 512)
        .equals(stored().subarray(COPY_AT, COPY_AT + 512)),
    );
    t.match((await load())?.current, { update: 6 });
    t.equal(notices.length, 1);
  }
});

t.test('two equal copies are left as they are', async (t) => {
  const { put, load, held, world } = await created();
  put({ update: 5 }, { update: 5 });
  t.match((await load())?.current, { update: 5 });
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATH), 0);
});

t.test('metadata that are damaged, or of another length, are refused', async (t) => {
  const { put, load, host } = await created();
  put(undefined, undefined);
  await t.rejects(load(), { result: -errno.EBADMSG, message: /neither copy of the metadata is sound/ });
  for (const length of [0, 8191, 8193]) {
    host.files.put(PATH, new Uint8Array(length));
    await t.rejects(load(), {
      result: -errno.EBADMSG,
      message: new RegExp(`has ${length} bytes, expected 8192`),
    });
  }
  t.equal(host.leftovers().filter((line) => line.includes(': file ')).length, 2, 'and are not held open');
});
