// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import type { ResyncSlots } from '../../../../src/replication/disk/backup/checkpoint-store.js';
import { readOverlay } from '../../../../src/replication/disk/backup/overlay.js';
import { ResyncFile } from '../../../../src/replication/disk/backup/resync-file.js';
import { TABLE_HEAD_BYTES } from '../../../../src/replication/disk/backup/slot-table.js';
import { crc32 } from '../../../../src/replication/disk/format/crc32.js';
import { sealSector } from '../../../../src/replication/disk/format/map-sector.js';
import { NOTHING_SURVIVES } from '../../../../src/testing/files/survival.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldCalls } from '../held-calls.js';
import { HeldDisk } from './held-disk.js';
import { TestFiles } from './host-files.js';

const PATH = '/srv/state/resync';
const ID = '0123456789abcdef';
const GRAIN = 8;
const GRAIN_BYTES = GRAIN * 512;
/** The last grain of the disk has half of the sectors. */
const SECTORS = 36;
const SHAPE = { sectors: SECTORS, grainSectors: GRAIN };
const INDEX_AT = 4096;
/** After a block of the index. */
const SLOTS_AT = 8192;
/** Of a sector that the resync has not brought. */
const NONE = 0xeeeeeeee;

function create(files: TestFiles, grains = 5): Promise<ResyncFile> {
  return files.wait(ResyncFile.create(files.calls, PATH, ID, SHAPE, grains));
}
function load(files: TestFiles, crc: number, id = ID) {
  return files.wait(ResyncFile.load(files.calls, PATH, id, crc, SHAPE));
}
function write(
  files: TestFiles,
  resync: ResyncFile,
  grain: number,
  tag: number,
  sectors = GRAIN,
): Promise<number> {
  return files.ended((done) => resync.write(grain, tagged(tag, sectors), done));
}

/** The tags of the disk's sectors, as the slots have them. */
async function tagsIn(files: TestFiles, { map }: ResyncSlots): Promise<number[]> {
  const bytes = new Uint8Array(SECTORS * 512);
  const disk = new HeldDisk(SECTORS, 0xee);
  // From the middle of a grain as well.
  for (const [from, to] of [
    [0, 27],
    [27, SECTORS],
  ] as const) {
    const part = bytes.subarray(from * 512, to * 512);
    const result = await files.ended((done) => readOverlay(disk, [map], from, part, done));
    if (result < 0) throw new Error(`the slots cannot be read: ${result}`);
  }
  return [...contentOf(bytes)];
}

/** A resync that is complete: grain 3 came first, then 1, which is zeroes by now, then 0, and the short last one. */
async function completed(files: TestFiles): Promise<{ resync: ResyncFile; slots: ResyncSlots }> {
  const resync = await create(files);
  // The file itself is there whatever happens, as its directory was synced.
  files.host.system.syncAll();
  const different = Buffer.concat(Array.from({ length: GRAIN }, (_, at) => tagged(30 + at, 1)));
  await files.ended((done) => resync.write(3, different, done));
  await write(files, resync, 1, 10);
  resync.zero(1);
  resync.zero(2);
  await write(files, resync, 0, 5);
  await write(files, resync, 4, 40, 4);
  return { resync, slots: await files.wait(resync.finish()) };
}
const EXPECTED = Array.from({ length: SECTORS }, (_, sector) => {
  if (sector >= 24 && sector < 32) return 30 + (sector - 24);
  return [5, 0, 0, 0, 40][Math.floor(sector / GRAIN)];
});

t.test('a completed resync shows the grains that it brought, at once and when it is loaded', async (t) => {
  const files = new TestFiles();
  const { resync, slots } = await completed(files);
  t.equal(slots.id, ID);
  t.same(await tagsIn(files, slots), EXPECTED);
  await files.wait(resync.close());
  t.same(files.open, []);
  const loaded = await load(files, slots.crc);
  t.match(loaded.slots, { id: ID, crc: slots.crc });
  t.same(await tagsIn(files, loaded.slots), EXPECTED);
  await files.wait(loaded.file.close());
});

t.test('grains that a resync did not bring are not in its slots', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  await write(files, resync, 2, 20);
  const slots = await files.wait(resync.finish());
  t.same(await tagsIn(files, slots), [
    ...new Array<number>(16).fill(NONE),
    ...new Array<number>(8).fill(20),
    ...new Array<number>(12).fill(NONE),
  ]);
});

t.test('a resync that brought nothing has no slots, also when it is loaded', async (t) => {
  const files = new TestFiles();
  const resync = await create(files, 0);
  const { crc } = await files.wait(resync.finish());
  await files.wait(resync.close());
  const { file, slots } = await load(files, crc);
  t.same(await tagsIn(files, slots), new Array<number>(SECTORS).fill(NONE));
  await files.wait(file.close());
});

t.test('a completed resync is on stable storage', async (t) => {
  const files = new TestFiles();
  const { slots } = await completed(files);
  files.host.losePower(NOTHING_SURVIVES);
  t.same(await tagsIn(files, (await load(files, slots.crc)).slots), EXPECTED);
});

t.test('slots are in the order of arrival after the position of the table and the index', async (t) => {
  const files = new TestFiles();
  await completed(files);
  const bytes = files.host.contents(PATH);
  const tableAt = SLOTS_AT + 5 * GRAIN_BYTES;
  t.equal(new DataView(bytes.buffer).getBigUint64(0, true), BigInt(tableAt));
  for (const [slot, tag] of [30, 10, 0, 5, 40].entries()) {
    const at = SLOTS_AT + slot * GRAIN_BYTES;
    t.equal(contentOf(bytes.slice(at, at + GRAIN_BYTES))[0], tag);
  }
  t.equal(Buffer.from(bytes.subarray(tableAt, tableAt + 8)).toString('latin1'), 'TDRSLOT1');
});

t.test(
  'an entry of the index has its grain, one more than that, a bit for zeroes, and the crc',
  async (t) => {
    const files = new TestFiles();
    await completed(files);
    const view = new DataView(files.host.contents(PATH).buffer, INDEX_AT);
    const zeroes = 2 ** 31;
    const words = Array.from({ length: 6 }, (_, place) => view.getUint32(8 * place, true));
    t.same(words, [4, 2 + zeroes, 3 + zeroes, 1, 5, 0]);
    const crcs = Array.from({ length: 6 }, (_, place) => view.getUint32(8 * place + 4, true));
    t.same(crcs.slice(1), [0, 0, crc32(tagged(5, GRAIN)), crc32(tagged(40, 4)), 0]);
  },
);

t.test('the file has room for all grains and their table from the start', async (t) => {
  const files = new TestFiles();
  await create(files, 5);
  t.equal(files.host.contents(PATH).length, SLOTS_AT + 5 * GRAIN_BYTES + TABLE_HEAD_BYTES + 5 * 16);
});

t.test('without room for all grains there is no file', async (t) => {
  const files = new TestFiles();
  files.host.system.capacityBytes = 8192;
  await t.rejects(create(files, 5), { code: 'ENOSPC' });
  t.same(files.open, []);
  t.equal(files.host.system.lookup(PATH), -errno.ENOENT);
});

t.test('a file without room that cannot be removed is reported as that', async (t) => {
  const files = new TestFiles();
  files.host.system.capacityBytes = 8192;
  files.host.failCalls({ calls: ['unlink'], error: errno.EROFS });
  await t.rejects(create(files, 5), { code: 'EROFS' });
  t.same(files.open, []);
});

t.test('the last write of a grain counts, though several are under way', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  const results: number[] = [];
  for (let tag = 1; tag <= 40; tag++) {
    for (const grain of [0, 1])
      resync.write(grain, tagged(tag * 10 + grain, GRAIN), (result) => results.push(result));
  }
  await files.world.run(() => results.length === 80);
  t.ok(results.every((result) => result === 0));
  await write(files, resync, 1, 7);
  const slots = await files.wait(resync.finish());
  t.same(new Set((await tagsIn(files, slots)).slice(0, 16)), new Set([400, 7]));
  t.equal((await tagsIn(files, slots))[8], 7);
});

/** How many writes of its file a write of these grains takes. */
async function callsFor(files: TestFiles, resync: ResyncFile, grain: number, grains: number) {
  let calls = 0;
  const counting = (): undefined => {
    calls += 1;
    return undefined;
  };
  const fault = files.host.failCalls({ calls: ['write'], times: Infinity, error: counting });
  const bytes = Buffer.concat(Array.from({ length: grains }, (_, at) => tagged(grain + at + 50, GRAIN)));
  const result = await files.ended((done) => resync.write(grain, bytes, done));
  fault.cancel();
  return { calls, result };
}

t.test('grains whose slots are beside one another are written by one call', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  t.same(await callsFor(files, resync, 1, 3), { calls: 1, result: 0 });
  t.same(await callsFor(files, resync, 1, 3), { calls: 1, result: 0 }, 'and again');
  t.same(await callsFor(files, resync, 0, 3), { calls: 2, result: 0 }, 'the first one came last');
  const tags = await tagsIn(files, await files.wait(resync.finish()));
  t.same(
    [0, 1, 2, 3].map((grain) => tags[grain * GRAIN]),
    [50, 51, 52, 53],
  );
});

t.test('a run of grains waits for each of them that is being written', async (t) => {
  for (let busy = 0; busy < 4; busy++) {
    const files = new TestFiles();
    const resync = await create(files);
    const results: number[] = [];
    const writeRun = (grain: number, grains: number, tag: number): void => {
      const bytes = Buffer.concat(Array.from({ length: grains }, (_, at) => tagged(tag + at, GRAIN)));
      resync.write(grain, bytes, (result) => results.push(result));
    };
    writeRun(0, 4, 10);
    await files.world.run(() => results.length === 1);
    writeRun(busy, 1, 99);
    writeRun(0, 4, 20);
    writeRun(0, 4, 30);
    await files.world.run(() => results.length === 4);
    t.same(results, [0, 0, 0, 0]);
    const tags = await tagsIn(files, await files.wait(resync.finish()));
    t.same(
      [0, 1, 2, 3].map((grain) => tags[grain * GRAIN]),
      [30, 31, 32, 33],
    );
    await files.wait(resync.close());
  }
});

t.test('a run whose first grain is being written does not pass a later write of the others', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  const results: number[] = [];
  const writeRun = (grain: number, ...tags: number[]): void =>
    resync.write(grain, Buffer.concat(tags.map((tag) => tagged(tag, GRAIN))), (result) =>
      results.push(result),
    );
  writeRun(0, 10, 11);
  await files.world.run(() => results.length === 1);
  writeRun(0, 99);
  writeRun(0, 20, 21);
  writeRun(1, 30);
  await files.world.run(() => results.length === 4);
  const tags = await tagsIn(files, await files.wait(resync.finish()));
  t.same([tags[0], tags[GRAIN]], [20, 30]);
});

t.test('the crc of each grain is taken as it came, if there is one for each', async (t) => {
  for (const [crcs, isTaken, grain, sectors] of [
    [[1, 2], true, 0, 2 * GRAIN],
    [[1], false, 0, 2 * GRAIN],
    [[1, 2, 3], false, 0, 2 * GRAIN],
    [undefined, false, 0, 2 * GRAIN],
    // The last grain of the disk is short.
    [[crc32(tagged(5, GRAIN)), 2], true, 3, GRAIN + 4],
  ] as const) {
    const files = new TestFiles();
    const resync = await create(files);
    t.equal(await files.ended((done) => resync.write(grain, tagged(5, sectors), done, crcs)), 0);
    const { crc } = await files.wait(resync.finish());
    await files.wait(resync.close());
    const loaded = load(files, crc);
    if (isTaken) await t.rejects(loaded, { code: 'EBADMSG' }, 'they are not those of the grains');
    else t.match((await loaded).slots, { crc });
  }
});

t.test('an error of a write is passed on, and the next write of the same grain is made', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  files.host.failCalls({ calls: ['write'], error: errno.EIO });
  const results: number[] = [];
  for (const tag of [1, 2]) resync.write(0, tagged(tag, GRAIN), (result) => results.push(result));
  await files.world.run(() => results.length === 2);
  t.same(results, [-errno.EIO, 0]);
});

t.test('a sync makes the slots durable', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  await write(files, resync, 0, 3);
  files.host.system.syncAll();
  await write(files, resync, 1, 4);
  t.equal(await files.ended((done) => resync.sync(done)), 0);
  files.host.losePower(NOTHING_SURVIVES);
  t.equal(
    contentOf(files.host.contents(PATH).slice(SLOTS_AT + GRAIN_BYTES, SLOTS_AT + GRAIN_BYTES + 512))[0],
    4,
  );
});

for (const [call, nth] of [
  ['write', 1],
  ['write', 2],
  ['write', 3],
  ['fdatasync', 1],
] as const) {
  t.test(`a resync is not complete if ${call} ${nth} of its end fails`, async (t) => {
    const files = new TestFiles();
    const resync = await create(files);
    await write(files, resync, 0, 3);
    files.host.failCalls({ calls: [call], nth, error: errno.EIO });
    await t.rejects(files.wait(resync.finish()), { code: 'EIO' });
  });
}

/** What may have become of the file of a committed resync, and what is said of it. */
const DAMAGED: Readonly<
  Record<string, readonly [damage: (bytes: Buffer, tableAt: number) => Buffer, says: RegExp]>
> = {
  'no position of its table': [(bytes) => bytes.fill(0, 0, 8), /its table cannot be at 0/],
  'a table in its index': [
    (bytes) => (bytes.writeUInt32LE(SLOTS_AT - 1, 0), bytes),
    /its table cannot be at 8191/,
  ],
  'no byte where its table begins': [
    (bytes, tableAt) => bytes.subarray(0, tableAt - 1),
    /its table cannot be at/,
  ],
  'no byte of its table': [(bytes, tableAt) => bytes.subarray(0, tableAt), /the table at \d+ is wrong/],
  'only a part of its table': [(bytes) => bytes.subarray(0, -1), /the table at \d+ is wrong/],
  'no magic at the start of its table': [
    (bytes, tableAt) => (bytes.writeUInt8(0, tableAt), bytes),
    /the table at \d+ is wrong/,
  ],
  'another table': [
    (bytes, tableAt) => (bytes.writeUInt8(9, tableAt + TABLE_HEAD_BYTES), bytes),
    /the table at \d+ is not the one that was committed/,
  ],
  'another byte in a grain': [
    (bytes) => (bytes.writeUInt8(9, SLOTS_AT + 100), bytes),
    /the grain at 8192 is not what was committed/,
  ],
  'another byte at the end of the short last grain': [
    (bytes) => (bytes.writeUInt8(9, SLOTS_AT + 4 * GRAIN_BYTES + 4 * 512 - 1), bytes),
    new RegExp(`the grain at ${SLOTS_AT + 4 * GRAIN_BYTES} is not`),
  ],
};
for (const [what, [damage, says]] of Object.entries(DAMAGED)) {
  t.test(`a resync's file with ${what} is refused as damaged, and closed`, async (t) => {
    const files = new TestFiles();
    const { resync, slots } = await completed(files);
    await files.wait(resync.close());
    const tableAt = SLOTS_AT + 5 * GRAIN_BYTES;
    const whole = Buffer.from(files.host.contents(PATH)).subarray(0, tableAt + TABLE_HEAD_BYTES + 5 * 16);
    files.host.put(PATH, whole);
    await files.wait((await load(files, slots.crc)).file.close());
    files.host.put(PATH, damage(whole, tableAt));
    await t.rejects(load(files, slots.crc), { code: 'EBADMSG', message: says });
    t.same(files.open, []);
  });
}

t.test('bytes after a short last grain are not part of it', async (t) => {
  const files = new TestFiles();
  const { slots } = await completed(files);
  files.host.rot(PATH, SLOTS_AT + 4 * GRAIN_BYTES + 4 * 512);
  t.same(await tagsIn(files, (await load(files, slots.crc)).slots), EXPECTED);
});

t.test('once it is aborted, no further slot of a committed resync is read', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  await write(files, resync, 0, 1);
  const { crc } = await files.wait(resync.finish());
  await files.wait(resync.close());
  const aborted = ResyncFile.load(files.calls, PATH, ID, crc, SHAPE, AbortSignal.abort());
  await t.rejects(files.wait(aborted), { code: 'ECANCELED' });
  t.same(files.host.descriptors(), []);
});

t.test('bytes in the slot of a grain that is zeroes by now do not matter', async (t) => {
  const files = new TestFiles();
  const { slots } = await completed(files);
  files.host.rot(PATH, SLOTS_AT + GRAIN_BYTES);
  t.same(await tagsIn(files, (await load(files, slots.crc)).slots), EXPECTED);
});

t.test('the file of another resync, or a missing one, is refused as damaged', async (t) => {
  const files = new TestFiles();
  const { slots } = await completed(files);
  const other = '0123456789abcdee';
  await t.rejects(load(files, slots.crc, other), {
    result: -errno.EBADMSG,
    message: /the table at \d+ is wrong/,
  });
  files.host.system.unlink(PATH);
  await t.rejects(load(files, slots.crc), {
    result: -errno.EBADMSG,
    message: /it is missing, but the resync/,
  });
});

t.test('a file that is loaded is synced before its content is relied on', async (t) => {
  const files = new TestFiles();
  const { resync, slots } = await completed(files);
  await files.wait(resync.close());
  files.host.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  await t.rejects(load(files, slots.crc), { code: 'EIO' });
  for (let nth = 1; nth <= 3; nth++) {
    files.host.failCalls({ calls: ['read'], nth, error: errno.EIO });
    await t.rejects(load(files, slots.crc), { code: 'EIO' }, `read ${nth}`);
  }
  t.same(files.open, []);
});

function resume(files: TestFiles) {
  return files.wait(ResyncFile.resume(files.calls, PATH, SHAPE));
}

/** A resync of which the grains 3, 1 and 2 have come, the last as zeroes, and were synced. */
async function synced(files: TestFiles): Promise<ResyncFile> {
  const resync = await create(files);
  files.host.system.syncAll();
  await write(files, resync, 3, 30);
  await write(files, resync, 1, 10);
  resync.zero(2);
  t.equal(await files.ended((done) => resync.sync(done)), 0);
  return resync;
}

/** What the resync has of a grain: the tag of its first sector. */
async function tagOf(
  files: TestFiles,
  resync: ResyncFile | undefined,
  grain: number,
): Promise<number | undefined> {
  const read = resync?.readerOf(grain);
  const bytes = new Uint8Array(GRAIN_BYTES).fill(0xee);
  if (read && (await files.ended((done) => read(bytes, done))) < 0) throw new Error('cannot read');
  return read && contentOf(bytes)[0];
}

t.test('grains whose slots are not in their order are each written to their own', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  for (const grain of [0, 1, 3, 2]) await write(files, resync, grain, 1);
  t.same(await callsFor(files, resync, 0, 4), { calls: 3, result: 0 });
  for (const grain of [0, 1, 2, 3]) t.equal(await tagOf(files, resync, grain), 50 + grain);
});

t.test('a resync that was synced is resumed with all that had come', async (t) => {
  const files = new TestFiles();
  await synced(files);
  files.host.losePower(NOTHING_SURVIVES);
  const resync = await resume(files);
  t.match(resync, { id: ID, grains: [1, 2, 3] });
  t.same([await tagOf(files, resync, 3), await tagOf(files, resync, 2)], [30, 0]);
  t.equal(resync?.readerOf(0), undefined);
  if (resync === undefined) return;
  await write(files, resync, 0, 5);
  await write(files, resync, 2, 20);
  await write(files, resync, 4, 40, 4);
  const slots = await files.wait(resync.finish());
  const expected = Array.from(
    { length: SECTORS },
    (_, sector) => [5, 10, 20, 30, 40][Math.floor(sector / GRAIN)],
  );
  t.same(await tagsIn(files, slots), expected);
  await files.wait(resync.close());
  files.host.losePower(NOTHING_SURVIVES);
  t.same(await tagsIn(files, (await load(files, slots.crc)).slots), expected);
});

t.test('what came after the last sync may be lost, and its place is used again', async (t) => {
  const files = new TestFiles();
  const first = await synced(files);
  await write(files, first, 0, 5);
  await write(files, first, 3, 31);
  files.host.losePower(NOTHING_SURVIVES);
  const resync = await resume(files);
  t.same(resync?.grains, [1, 2, 3]);
  t.equal(await tagOf(files, resync, 3), 30);
  if (resync === undefined) return;
  await write(files, resync, 4, 40, 4);
  await write(files, resync, 0, 6);
  t.same(
    (await tagsIn(files, await files.wait(resync.finish()))).slice(0, 10),
    [6, 6, 6, 6, 6, 6, 6, 6, 10, 10],
  );
});

t.test('an index of more than one read is resumed as a whole', async (t) => {
  // 63 entries fit a sector, and 1 MiB is read at a time.
  const grains = 63 * 2048 + 100;
  const shape = { sectors: grains * GRAIN, grainSectors: GRAIN };
  const files = new TestFiles();
  const resync = await files.wait(ResyncFile.create(files.calls, PATH, ID, shape, 0));
  resync.zero(7);
  t.equal(await files.ended((done) => resync.sync(done)), 0);
  await files.wait(resync.close());
  const bytes = Buffer.from(files.host.contents(PATH));
  const sector = bytes.subarray(INDEX_AT + 2048 * 512).subarray(0, 512);
  sector.writeUInt32LE(9 + 1 + 2 ** 31);
  sealSector(sector, 2048, ID);
  files.host.put(PATH, bytes);
  const found = await files.wait(ResyncFile.resume(files.calls, PATH, shape));
  t.same(found?.grains, [7, 9]);
  if (found) await files.wait(found.close());
});

t.test('a resync is settled once what was begun before has ended', async (t) => {
  const files = new TestFiles();
  const held = new HeldCalls();
  const resync = await files.wait(ResyncFile.create(held.over(files.calls), PATH, ID, SHAPE, 5));
  held.hold('write', PATH);
  let written: number | undefined;
  resync.write(0, tagged(5, GRAIN), (result) => (written = result));
  const settled = resync.settle().then(() => written);
  await files.world.run(0.1);
  t.equal(held.waiting('write', PATH), 1, 'the index is not written before its grain');
  held.release('write', PATH);
  t.equal(await files.wait(settled), 0);
});

t.test('a slot that does not match its entry is committed as it is found', async (t) => {
  const files = new TestFiles();
  await synced(files);
  files.host.losePower(NOTHING_SURVIVES);
  // The slot of grain 3 was written again, and only its data has survived.
  const bytes = Buffer.from(files.host.contents(PATH));
  bytes.set(tagged(33, GRAIN), SLOTS_AT);
  files.host.put(PATH, bytes);
  const resync = await resume(files);
  if (resync === undefined) throw new Error('it cannot be resumed');
  resync.confirm(3, tagged(33, GRAIN));
  resync.confirm(2, new Uint8Array(GRAIN_BYTES));
  resync.confirm(0, tagged(1, GRAIN));
  const slots = await files.wait(resync.finish());
  await files.wait(resync.close());
  const tags = await tagsIn(files, (await load(files, slots.crc)).slots);
  t.same([tags[0], tags[8], tags[16], tags[24]], [NONE, 10, 0, 33]);
});

t.test('a sector of the index that is damaged has no grains, the others keep theirs', async (t) => {
  const many = { sectors: 200 * GRAIN, grainSectors: GRAIN };
  const files = new TestFiles();
  const resync = await files.wait(ResyncFile.create(files.calls, PATH, ID, many, 200));
  for (let grain = 0; grain < 150; grain++) resync.zero(grain);
  t.equal(await files.ended((done) => resync.sync(done)), 0);
  await files.wait(resync.close());
  files.host.rot(PATH, INDEX_AT + 512 + 77);
  const found = await files.wait(ResyncFile.resume(files.calls, PATH, many));
  const grains = Array.from({ length: 150 }, (_, grain) => grain);
  t.same(
    found?.grains,
    grains.filter((grain) => grain < 63 || grain >= 126),
  );
  if (found === undefined) return;
  for (const grain of grains) found.zero(grain);
  t.equal(await files.ended((done) => found.sync(done)), 0);
  await files.wait(found.close());
  const again = await files.wait(ResyncFile.resume(files.calls, PATH, many));
  t.same(again?.grains, grains, 'they come again');
});

t.test(
  'a file without a head, of other grains, or with a grain in two places is not resumed, and is closed',
  async (t) => {
    const files = new TestFiles();
    t.equal(await resume(files), undefined, 'none is there');
    await files.wait((await synced(files)).close());
    const whole = Buffer.from(files.host.contents(PATH));
    files.host.rot(PATH, 512 + 20);
    t.equal(await resume(files), undefined, 'its head is damaged');
    files.host.put(PATH, whole);
    const other = { sectors: SECTORS, grainSectors: GRAIN * 2 };
    t.equal(await files.wait(ResyncFile.resume(files.calls, PATH, other)), undefined, 'other grains');
    const twice = Buffer.from(whole);
    const sector = twice.subarray(INDEX_AT, INDEX_AT + 512);
    sector.copyWithin(8, 0, 8);
    sealSector(sector, 0, ID);
    files.host.put(PATH, twice);
    t.equal(await resume(files), undefined, 'a grain twice');
    t.same(files.open, []);
  },
);

t.test('an index that cannot be read or synced is an error', async (t) => {
  const files = new TestFiles();
  await files.wait((await synced(files)).close());
  for (const [call, nth] of [
    ['fdatasync', 1],
    ['read', 1],
    ['read', 2],
  ] as const) {
    files.host.failCalls({ calls: [call], nth, error: errno.EIO });
    await t.rejects(resume(files), { code: 'EIO' }, `${call} ${nth}`);
  }
  t.same(files.open, []);
});

t.test('a file is closed once its writes have ended, and knows when one has failed', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  t.equal(resync.hasFailed, false);
  files.host.failCalls({ calls: ['write'], error: errno.EIO });
  const order: string[] = [];
  resync.write(0, tagged(1, GRAIN), () => order.push('written'));
  resync.write(1, tagged(2, GRAIN), () => order.push('written'));
  await files.wait(resync.close().then(() => order.push('closed')));
  t.same(order, ['written', 'written', 'closed']);
  t.equal(resync.hasFailed, true);
});

t.test('a resumed file gets room for more grains, and keeps what it has if there is none', async (t) => {
  const files = new TestFiles();
  const resync = await files.wait(ResyncFile.create(files.calls, PATH, ID, SHAPE, 1));
  await write(files, resync, 3, 30);
  const { system } = files.host;
  const capacity = system.capacityBytes;
  system.capacityBytes = 4096;
  await t.rejects(files.wait(resync.provide(5)), { code: 'ENOSPC' });
  system.capacityBytes = capacity;
  await files.wait(resync.provide(5));
  t.equal(files.host.contents(PATH).length, SLOTS_AT + 5 * GRAIN_BYTES + TABLE_HEAD_BYTES + 5 * 16);
  t.equal(await tagOf(files, resync, 3), 30);
});

t.test('a file that is closed while it is being completed is closed after that', async (t) => {
  const files = new TestFiles();
  const resync = await create(files);
  resync.zero(1);
  const [{ crc }] = await files.wait(Promise.all([resync.finish(), resync.close()]));
  t.same(files.open, []);
  const { file } = await load(files, crc);
  await files.wait(file.close());
});
