// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { NOTHING, SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import {
  BLOCK,
  encodeHeader,
  FIRST_RECORD_AT,
} from '../../../../src/replication/disk/journal/segment-format.js';
import { stateFiles } from '../state-files.js';

const PATH = '/srv/journal-0';
/** Room for thirty blocks of records. */
const ROOM = 30;
const BYTES = FIRST_RECORD_AT + ROOM * BLOCK;

t.test('where the copies of a header are of two segments, it is the later one', async (t) => {
  for (const order of [
    [3, 4],
    [4, 3],
  ]) {
    const { world, files, notice, notices, host } = stateFiles();
    await world.complete(SegmentFile.create(files, PATH, BYTES));
    const bytes = Buffer.from(host.files.contents(PATH));
    for (const [copy, segment] of order.entries())
      bytes.set(encodeHeader({ segment, salt: segment, previous: NOTHING }), copy * BLOCK);
    host.files.put(PATH, bytes);
    t.match(await world.complete(SegmentFile.load(files, PATH, notice)), { segment: 4, salt: 4 });
    t.same(notices, []);
  }
});

t.test('what was not used of a new file is zero, and the file is durable', async (t) => {
  const { world, files, host, notice } = stateFiles();
  const { file } = await world.complete(SegmentFile.create(files, PATH, BYTES));
  await world.complete(file.close());
  host.files.system.losePower({ remains: () => [], keepsEntries: () => true });
  const bytes = Buffer.from(host.files.contents(PATH));
  t.equal(bytes.length, BYTES);
  for (let block = 0; block < BYTES / BLOCK; block++) {
    const at = block * BLOCK;
    const magic = block < 2 ? 'TDRSEGM1' : block < 18 ? 'TDRMARK1' : '\0'.repeat(8);
    t.equal(bytes.toString('latin1', at, at + 8), magic);
    // After the magic is the crc.
    t.notOk(bytes.subarray(at + 12, at + BLOCK).some((byte) => byte !== 0));
  }
  t.equal((await world.complete(SegmentFile.load(files, PATH, notice)))?.newestMarker, undefined);
});

for (const [name, fault, run] of [
  ['creation', { calls: ['allocate'], nth: 1 }, 'create'],
  ['creation', { calls: ['write'], nth: 1 }, 'create'],
  ['creation', { calls: ['fdatasync'], nth: 1 }, 'create'],
  ['opening', { calls: ['fdatasync'], nth: 1 }, 'load'],
  ['opening', { calls: ['fstat'], nth: 1 }, 'load'],
  ['opening', { calls: ['read'], nth: 1 }, 'load'],
  ['repair', { calls: ['write'], nth: 1 }, 'load'],
  ['repair', { calls: ['fdatasync'], nth: 2 }, 'load'],
] as const) {
  t.test(`a ${name} whose ${fault.calls[0]} (${fault.nth}) fails leaves no file open`, async (t) => {
    const { world, files, host, notice } = stateFiles();
    if (run === 'load') {
      const { file } = await world.complete(SegmentFile.create(files, PATH, BYTES));
      await world.complete(file.close());
      if (name === 'repair') host.files.rot(PATH, 100);
    }
    host.files.failCalls({ calls: [...fault.calls], nth: fault.nth, error: errno.EIO });
    const attempt =
      run === 'load' ? SegmentFile.load(files, PATH, notice) : SegmentFile.create(files, PATH, BYTES);
    await t.rejects(world.complete<unknown>(attempt), { result: -errno.EIO, message: /EIO/ });
    t.same(
      host.leftovers().filter((line) => line.includes(': file ')),
      [],
    );
  });
}

t.test('what is read of a file is durable', async (t) => {
  const { world, files, held, notice } = stateFiles();
  const { file } = await world.complete(SegmentFile.create(files, PATH, BYTES));
  await world.complete(file.close());
  held.hold('synced', PATH);
  let isLoaded = false;
  const loading = SegmentFile.load(files, PATH, notice).then(() => (isLoaded = true));
  await world.run(0.1);
  t.same([held.waiting('synced', PATH), isLoaded], [1, false]);
  held.release('synced', PATH);
  await world.complete(loading);
});

t.test('a file that has room for no record is one all the same', async (t) => {
  const { world, files, notice } = stateFiles();
  await world.complete(SegmentFile.create(files, PATH, FIRST_RECORD_AT));
  const loaded = await world.complete(SegmentFile.load(files, PATH, notice));
  t.match(loaded, { bytes: FIRST_RECORD_AT, usedBytes: 0, segment: 0 });
});

t.test('a file that is too short to be one is refused; one that is missing is none', async (t) => {
  const { world, files, host, notice } = stateFiles();
  t.equal(await world.complete(SegmentFile.load(files, PATH, notice)), undefined);
  host.files.put(PATH, new Uint8Array(FIRST_RECORD_AT - 1));
  await t.rejects(world.complete(SegmentFile.load(files, PATH, notice)), /it has only 73727 bytes/);
});

t.test('a file syncs only what was written to it', async (t) => {
  const { world, files, held, call } = stateFiles();
  const file = await world.complete(SegmentFile.create(files, PATH, BYTES));
  held.hold('fdatasync', PATH);
  t.equal(await call((done) => file.sync(done)), 0);
  t.equal(held.waiting('fdatasync', PATH), 0);
  file.begin({ segment: 1, salt: 5, previous: NOTHING }, () => {});
  await world.run(0.1);
  const results: number[] = [];
  file.sync((result) => results.push(result));
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATH), 1);
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same(results, [0]);
  t.same([file.segment, file.salt, file.newestMarker, file.usedBytes], [1, 5, undefined, 0]);
  t.same([file.hasRoomFor(ROOM * BLOCK), file.hasRoomFor(ROOM * BLOCK + 1)], [true, false]);
});
