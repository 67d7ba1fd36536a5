// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The journal on two files of a simulated host, and what is read of it again.

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { crc32 } from '../../../../src/replication/disk/format/crc32.js';
import { type CommitFacts, Journal } from '../../../../src/replication/disk/journal/journal.js';
import { putExtent, recordLength, sealRecord } from '../../../../src/replication/disk/journal/record.js';
import { recoverJournal, type RecoveredRecord } from '../../../../src/replication/disk/journal/recover.js';
import { SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import {
  BLOCK,
  encodeMarker,
  FIRST_MARKER_AT,
  FIRST_RECORD_AT,
  MARKER_SLOTS,
} from '../../../../src/replication/disk/journal/segment-format.js';
import { stateFiles } from '../state-files.js';

const PATHS = ['/srv/journal-0', '/srv/journal-1'] as const;
/** Room for thirty blocks of records in each file: half of one is full with 24 of them. */
const ROOM = 30;
const BYTES = FIRST_RECORD_AT + ROOM * BLOCK;

const facts = (epoch: number, more: Partial<CommitFacts> = {}): CommitFacts => ({
  generation: 'a'.repeat(16),
  epoch,
  resyncId: '0'.repeat(16),
  resyncCrc: 0,
  resyncCheckpoint: 0,
  ...more,
});

/** A record of one range, filled with a byte, that has so many blocks. */
function recordOf(sector: number, byte: number, blocks = 2): Buffer {
  const record = Buffer.alloc(blocks * BLOCK);
  const data = record.subarray(BLOCK).fill(byte);
  putExtent(record, 0, { sector, sectors: data.length / 512, dataAt: BLOCK, crc: crc32(data) });
  return record;
}

async function opened() {
  const its = stateFiles();
  const { world, files, notice } = its;
  const failures: string[] = [];
  let salt = 1000;
  const journalOn = (
    pair: [SegmentFile, SegmentFile],
    start: ConstructorParameters<typeof Journal>[1],
  ): Journal =>
    new Journal(
      {
        files: pair,
        salt: () => (salt += 1),
        onFailure: (result, path) => failures.push(`${path}: ${result}`),
      },
      start,
    );
  const first = await world.complete(SegmentFile.create(files, PATHS[0], BYTES));
  const second = await world.complete(SegmentFile.create(files, PATHS[1], BYTES));
  const journal = journalOn([first, second], { current: undefined, firstLive: 1, sequence: 0 });
  /** What a process after this one finds. */
  const recover = async (firstLive = 1) => {
    const again = [];
    for (const path of PATHS) again.push(await world.complete(SegmentFile.load(files, path, notice)));
    const pair = again as [SegmentFile, SegmentFile];
    const records: RecoveredRecord[] = [];
    const found = await world.complete(recoverJournal(pair, firstLive, (record) => records.push(record)));
    return {
      ...found,
      records,
      pair,
      shown: records.map(({ extents, header }) => [header.checkpoint, extents[0]?.sector]),
    };
  };
  const append = (
    target: Journal,
    sector: number,
    checkpoint: number,
    blocks = 2,
    isFirst = false,
    isUrgent = false,
  ) => {
    const results: number[] = [];
    const at = target.append(
      recordOf(sector, checkpoint, blocks),
      { kind: 'data', checkpoint, extents: 1 },
      { isFirst, isUrgent },
      (result) => results.push(result),
    );
    return { at, results };
  };
  const abort = (target: Journal, checkpoint: number) =>
    target.append(
      new Uint8Array(recordLength(0)),
      { kind: 'abort', checkpoint, extents: 0 },
      { isFirst: false, isUrgent: false },
      () => {},
    );
  const commit = (target: Journal, epoch: number): Promise<number> =>
    its.call((done) => target.commit(facts(epoch), done));
  return { ...its, files: its.files, journal, journalOn, failures, recover, append, abort, commit };
}

t.test('a new journal has nothing, and all of its room', async (t) => {
  const { journal, recover, world } = await opened();
  t.same([journal.segment, journal.usedBytes, journal.limitBytes, journal.failure], [1, 0, 2 * BYTES, 0]);
  await world.run(0.1);
  const { marker, records, start } = await recover();
  t.equal(marker, undefined);
  t.match(start, { current: undefined, firstLive: 1, sequence: 0 });
  t.same(records, []);
});

t.test('what was committed is read again, with what came before it, and nothing after', async (t) => {
  const { journal, recover, append, commit, abort } = await opened();
  const { at } = append(journal, 10, 1);
  t.equal(at?.position, FIRST_RECORD_AT);
  append(journal, 20, 1, 3);
  t.equal(await commit(journal, 7), 0);
  abort(journal, 1);
  append(journal, 30, 2);
  t.equal(journal.usedBytes, 8 * BLOCK);
  const { shown, marker, records, start } = await recover();
  t.same(shown, [
    [1, 10],
    [1, 20],
  ]);
  t.match(marker, {
    epoch: 7,
    segment: 1,
    sequence: 1,
    generation: 'a'.repeat(16),
    at: { end: FIRST_RECORD_AT + 5 * BLOCK, records: 2 },
  });
  t.equal(start.sequence, 1);
  t.same(
    records.map(({ position, header }) => [position, header.kind, header.number]),
    [
      [FIRST_RECORD_AT, 'data', 0],
      [FIRST_RECORD_AT + 2 * BLOCK, 'data', 1],
    ],
  );
  t.equal(await commit(journal, 8), 0);
  t.same((await recover()).shown, [
    [1, 10],
    [1, 20],
    [1, undefined],
    [2, 30],
  ]);
});

t.test('a journal that was opened again goes on where it was', async (t) => {
  const { journal, journalOn, recover, append, commit } = await opened();
  append(journal, 10, 1);
  await commit(journal, 1);
  const { pair, start } = await recover();
  const next = journalOn(pair, start);
  t.same([next.segment, next.usedBytes], [1, 2 * BLOCK]);
  t.equal(append(next, 20, 2).at?.position, FIRST_RECORD_AT + 2 * BLOCK);
  await commit(next, 2);
  const { shown, marker } = await recover();
  t.same(shown, [
    [1, 10],
    [2, 20],
  ]);
  t.match(marker, { epoch: 2, sequence: 2 });
});

t.test('the room that is used is the same after the journal was opened again', async (t) => {
  const { journal, journalOn, append, commit, recover } = await opened();
  append(journal, 10, 1, 25);
  await commit(journal, 1);
  append(journal, 20, 2, 3, true);
  await commit(journal, 2);
  t.same([journal.segment, journal.usedBytes], [2, 28 * BLOCK]);
  const { pair, start } = await recover();
  t.equal(journalOn(pair, start).usedBytes, 28 * BLOCK, 'both segments are live');
  const later = await recover(2);
  t.equal(journalOn(later.pair, later.start).usedBytes, 3 * BLOCK, 'the first is on the image');
});

t.test('a segment of which nothing was committed uses no room, and is not read again', async (t) => {
  const { journal, journalOn, append, recover, world, commit } = await opened();
  append(journal, 10, 1, 4);
  await world.run(0.1);
  const { pair, start } = await recover();
  const next = journalOn(pair, start);
  t.same([next.segment, next.usedBytes], [2, 0]);
  append(next, 20, 2);
  await commit(next, 2);
  t.same((await recover()).shown, [[2, 20]]);
});

t.test('a segment that was begun without a commit in it is begun again', async (t) => {
  const { journal, journalOn, append, commit, recover, world } = await opened();
  append(journal, 10, 1, 25);
  await commit(journal, 1);
  append(journal, 20, 2, 2, true);
  await world.run(0.1);
  t.equal(journal.segment, 2);
  const { pair, start } = await recover();
  const next = journalOn(pair, start);
  t.same([next.segment, next.usedBytes], [1, 25 * BLOCK]);
  t.equal(append(next, 30, 2, 2, true).at?.position, FIRST_RECORD_AT);
  t.equal(next.segment, 2);
  await commit(next, 2);
  t.same((await recover()).shown, [
    [1, 10],
    [2, 30],
  ]);
});

t.test('all of a commit’s facts are in its marker', async (t) => {
  const { journal, recover, call } = await opened();
  const more = { resyncId: 'b'.repeat(16), resyncCrc: 5, resyncCheckpoint: 6, generation: 'c'.repeat(16) };
  t.equal(await call((done) => journal.commit(facts(3, more), done)), 0);
  t.match((await recover()).marker, { epoch: 3, ...more });
});

t.test(
  'a commit waits for the records before it, their sync, its marker, and the sync of that',
  async (t) => {
    const { journal, world, held, append } = await opened();
    await world.run(0.1);
    held.hold('fdatasync', PATHS[0]);
    append(journal, 10, 1);
    const results: number[] = [];
    journal.commit(facts(1), (result) => results.push(result));
    await world.run(0.1);
    t.equal(held.waiting('fdatasync', PATHS[0]), 1);
    held.release('fdatasync', PATHS[0]);
    held.hold('fdatasync', PATHS[0]);
    await world.run(0.1);
    t.same([held.waiting('fdatasync', PATHS[0]), results], [1, []], 'that of the marker');
    held.release('fdatasync', PATHS[0]);
    await world.run(0.1);
    t.same(results, [0]);
  },
);

t.test('a checkpoint of one record waits for two durable writes and no sync', async (t) => {
  const { journal, world, held, append, recover, host } = await opened();
  // What began the segment is synced by the first commit.
  append(journal, 5, 1);
  t.equal(await world.complete(new Promise<number>((resolve) => journal.commit(facts(1), resolve))), 0);
  held.hold('fdatasync', PATHS[0]);
  const { results: written } = append(journal, 10, 2, 2, true, true);
  const results: number[] = [];
  journal.commit(facts(2), (result) => results.push(result));
  await world.run(0.1);
  t.same([written, results, held.waiting('fdatasync', PATHS[0])], [[], [], 1], 'that of the record');
  held.release('fdatasync', PATHS[0]);
  held.hold('fdatasync', PATHS[0]);
  await world.run(0.1);
  t.same([written, results], [[0], []], 'and of the marker');
  held.release('fdatasync', PATHS[0]);
  await world.run(0.1);
  t.same(results, [0]);
  host.files.system.losePower({ remains: () => [], keepsEntries: () => true });
  t.equal((await recover()).marker?.epoch, 2);
});

t.test('records that are durable by themselves need no sync, however many are on their way', async (t) => {
  const { journal, world, held, append, recover, host } = await opened();
  append(journal, 5, 1);
  t.equal(await world.complete(new Promise<number>((resolve) => journal.commit(facts(1), resolve))), 0);
  held.hold('fdatasync', PATHS[0]);
  append(journal, 10, 2, 2, true, true);
  append(journal, 20, 2, 2, false, true);
  const results: number[] = [];
  journal.commit(facts(2), (result) => results.push(result));
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATHS[0]), 2, 'both are being written');
  held.release('fdatasync', PATHS[0]);
  held.hold('fdatasync', PATHS[0]);
  await world.run(0.1);
  t.same([held.waiting('fdatasync', PATHS[0]), results], [1, []], 'then the marker, and nothing between');
  held.release('fdatasync', PATHS[0]);
  await world.run(0.1);
  t.same(results, [0]);
  host.files.system.losePower({ remains: () => [], keepsEntries: () => true });
  t.same((await recover()).shown, [
    [1, 5],
    [2, 10],
    [2, 20],
  ]);
});

t.test('a last record does not stand for the sync of those before it', async (t) => {
  const { journal, world, held, append } = await opened();
  append(journal, 5, 1);
  held.hold('fdatasync', PATHS[0]);
  append(journal, 10, 1, 2, false, true);
  const results: number[] = [];
  journal.commit(facts(1), (result) => results.push(result));
  await world.run(0.1);
  t.same([held.waiting('fdatasync', PATHS[0]), results], [1, []]);
  held.release('fdatasync', PATHS[0]);
  held.hold('fdatasync', PATHS[0]);
  await world.run(0.1);
  t.same([held.waiting('fdatasync', PATHS[0]), results], [1, []], 'the marker comes after it');
  held.release('fdatasync', PATHS[0]);
});

t.test('a commit does not wait for writes after it', async (t) => {
  const { journal, world, held, append } = await opened();
  append(journal, 10, 1);
  const results: number[] = [];
  journal.commit(facts(1), (result) => results.push(result));
  held.hold('write', PATHS[0]);
  append(journal, 20, 2);
  await world.run(0.1);
  t.same([held.waiting('write', PATHS[0]), results], [2, []], 'the later record, and the marker already');
  held.release('write', PATHS[0]);
  await world.run(0.1);
  t.same(results, [0]);
});

t.test('a record is durable by itself only where nothing is left to be synced', async (t) => {
  const { journal, world, held, append } = await opened();
  held.hold('fdatasync', PATHS[0]);
  t.same(append(journal, 10, 1, 2, true, true).results, []);
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATHS[0]), 0, 'the header of the segment is being written');
  append(journal, 20, 1, 2, false, true);
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATHS[0]), 0, 'all before is written, but not synced');
  held.release('fdatasync', PATHS[0]);
});

t.test('a write that ends during a sync begins no other one', async (t) => {
  const { journal, world, held, append, recover } = await opened();
  append(journal, 10, 1);
  journal.commit(facts(1), () => {});
  await world.run(0.1);
  append(journal, 20, 2);
  held.hold('fdatasync', PATHS[0]);
  const results: number[] = [];
  journal.commit(facts(2), (result) => results.push(result));
  await world.run(0.1);
  append(journal, 30, 3);
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATHS[0]), 1);
  held.release('fdatasync', PATHS[0]);
  await world.run(0.1);
  t.same(results, [0]);
  t.equal((await recover()).marker?.sequence, 2);
});

t.test('a commit waits for each write before it, whichever ends last', async (t) => {
  const { journal, world, held, append } = await opened();
  await world.run(0.1);
  held.hold('fdatasync', PATHS[0]);
  append(journal, 10, 1);
  held.hold('write', PATHS[0]);
  append(journal, 20, 1);
  journal.commit(facts(1), () => {});
  await world.run(0.1);
  t.same([held.waiting('write', PATHS[0]), held.waiting('fdatasync', PATHS[0])], [1, 0]);
  held.release('write', PATHS[0]);
  await world.run(0.1);
  t.equal(held.waiting('fdatasync', PATHS[0]), 1);
  held.release('fdatasync', PATHS[0]);
});

t.test('a journal that was closed holds no file open', async (t) => {
  const { journal, world, host } = await opened();
  await world.run(0.1);
  t.equal(host.leftovers().filter((line) => line.includes(': file ')).length, 4, 'each is open twice');
  await world.complete(journal.close());
  t.same(
    host.leftovers().filter((line) => line.includes(': file ')),
    [],
  );
});

t.test('commits that come meanwhile share the next round, and end in their order', async (t) => {
  const { journal, world, held, append, recover } = await opened();
  await world.run(0.1);
  held.hold('fdatasync', PATHS[0]);
  const log: number[] = [];
  for (const epoch of [1, 2, 3]) {
    append(journal, epoch * 10, epoch);
    journal.commit(facts(epoch), (result) => log.push(result === 0 ? epoch : result));
    await world.run(0.01);
  }
  held.release('fdatasync', PATHS[0]);
  await world.run(0.1);
  t.same(log, [1, 2, 3]);
  t.match((await recover()).marker, { epoch: 3, sequence: 2 }, 'with one marker for the last of them');
});

t.test('markers take their slots in turn', async (t) => {
  const { journal, commit, recover, host } = await opened();
  for (let epoch = 1; epoch <= MARKER_SLOTS + 2; epoch++) await commit(journal, epoch);
  t.match((await recover()).marker, { epoch: MARKER_SLOTS + 2 });
  const contents = Buffer.from(host.files.contents(PATHS[0]));
  const slot = (index: number): Buffer => contents.subarray(FIRST_MARKER_AT + index * BLOCK).subarray(0, 512);
  const marker = {
    ...facts(18),
    segment: 1,
    sequence: 18,
    at: { end: FIRST_RECORD_AT, records: 0, chain: 1001 },
  };
  t.ok(slot(2).equals(Buffer.from(encodeMarker(marker))));
  t.ok(
    slot(3).equals(Buffer.from(encodeMarker({ ...marker, epoch: 3, sequence: 3 }))),
    'the oldest one goes first',
  );
});

t.test('a checkpoint that begins when a file is half full goes to the other one', async (t) => {
  const { journal, append, commit, recover } = await opened();
  append(journal, 10, 1, 24);
  append(journal, 20, 2, 2, true);
  t.equal(journal.segment, 1, 'half of it is not more than half');
  append(journal, 30, 2, 2);
  t.equal(journal.segment, 1, 'nor is the middle of a checkpoint a good place');
  append(journal, 40, 3, 2, true);
  t.equal(journal.segment, 2);
  t.equal(journal.usedBytes, 30 * BLOCK);
  await commit(journal, 3);
  const { shown, marker, pair } = await recover();
  t.same(
    shown.map(([, sector]) => sector),
    [10, 20, 30, 40],
  );
  t.match(marker, { segment: 2, epoch: 3 });
  t.equal(pair[1].previous.records, 3);
});

t.test('a checkpoint goes to a free file however full that was before', async (t) => {
  const { journal, append } = await opened();
  append(journal, 10, 1, ROOM - 1);
  append(journal, 20, 2, 25);
  journal.retire(2);
  append(journal, 30, 3, 2, true);
  t.equal(journal.segment, 3);
});

t.test(
  'a full file is followed by the other one; when that is needed too, the journal is full',
  async (t) => {
    const { journal, append, abort, commit, recover } = await opened();
    t.not(append(journal, 10, 1, ROOM - 1).at, undefined, 'a block is kept for an abort');
    const next = append(journal, 20, 1, 2);
    t.equal(next.at?.file.file.path, PATHS[1]);
    t.equal(append(journal, 30, 1, ROOM - 2).at, undefined);
    t.equal(append(journal, 30, 1, ROOM - 3).at?.position, FIRST_RECORD_AT + 2 * BLOCK);
    t.equal(append(journal, 30, 1, 1).at, undefined);
    t.not(abort(journal, 1), undefined, 'which has room all the same');
    t.equal(abort(journal, 1), undefined);
    await commit(journal, 1);
    journal.retire(2);
    t.equal(journal.usedBytes, ROOM * BLOCK);
    const third = append(journal, 40, 2, 2);
    t.same([journal.segment, third.at?.file.file.path], [3, PATHS[0]], 'what is on the image makes room');
    await commit(journal, 2);
    t.same(
      (await recover(2)).shown.map(([, sector]) => sector),
      [20, 30, undefined, 40],
    );
  },
);

t.test('a record that no file has room for changes nothing that is committed', async (t) => {
  const { journal, append, commit, recover } = await opened();
  append(journal, 10, 1);
  await commit(journal, 1);
  t.equal(append(journal, 20, 2, ROOM + 1).at, undefined);
  await commit(journal, 2);
  t.same((await recover()).shown, [[1, 10]]);
});

t.test('once nothing is live a journal begins with a segment above all that there were', async (t) => {
  const { journal, journalOn, append, commit, recover } = await opened();
  append(journal, 10, 1);
  await commit(journal, 1);
  const { start, pair, records } = await recover(5);
  t.same([records, start.current, start.sequence], [[], undefined, 1]);
  const next = journalOn(pair, start);
  t.equal(next.segment, 5);
  t.equal(next.usedBytes, 0);
  append(next, 20, 2);
  await commit(next, 2);
  t.match((await recover(5)).marker, { segment: 5, epoch: 2, sequence: 2 });
});

t.test('nor does it take the number of one that was begun in the other file', async (t) => {
  const { journal, journalOn, append, recover, world } = await opened();
  append(journal, 10, 1, 25);
  append(journal, 20, 2, 2, true);
  await world.run(0.1);
  const { start, pair } = await recover(2);
  t.equal(journalOn(pair, start).segment, 3);
});

for (const [call, nth] of [
  ['write', 1],
  ['fdatasync', 1],
  ['write', 2],
  ['fdatasync', 2],
] as const) {
  t.test(`after a failed ${call} (${nth}) no commit succeeds any more`, async (t) => {
    const { journal, world, host, append, commit, failures, recover } = await opened();
    append(journal, 10, 1);
    await commit(journal, 1);
    host.files.failCalls({ calls: [call], nth, error: errno.EIO });
    append(journal, 20, 2);
    const results: number[] = [];
    journal.commit(facts(2), (result) => results.push(result));
    journal.commit(facts(3), (result) => results.push(result));
    await world.run(0.1);
    t.same(results, [-errno.EIO, -errno.EIO]);
    t.same([failures, journal.failure], [[`${PATHS[0]}: ${-errno.EIO}`], -errno.EIO]);
    t.equal(await commit(journal, 4), -errno.EIO);
    t.equal(failures.length, 1, 'it is reported once');
    t.same((await recover()).shown[0], [1, 10], 'what was committed is there');
  });
}

t.test(
  'a failure while a marker is written fails its commit once, and those that wait for the next',
  async (t) => {
    const { journal, world, host, held, append, commit, failures } = await opened();
    append(journal, 10, 1);
    await commit(journal, 1);
    held.hold('synced', PATHS[0]);
    const results: string[] = [];
    for (const epoch of [2, 3]) journal.commit(facts(epoch), (result) => results.push(`${epoch}: ${result}`));
    await world.run(0.1);
    t.equal(held.waiting('synced', PATHS[0]), 1, 'the marker');
    host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
    append(journal, 20, 2);
    await world.run(0.1);
    t.same(results, [`2: ${-errno.EIO}`, `3: ${-errno.EIO}`]);
    held.release('synced', PATHS[0]);
    await world.run(0.1);
    t.equal(results.length, 2);
    t.same(failures, [`${PATHS[0]}: ${-errno.EIO}`]);
  },
);

t.test('of several failed writes the first is reported', async (t) => {
  const { journal, world, host, append, failures } = await opened();
  await world.run(0.1);
  host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  host.files.failCalls({ calls: ['write'], nth: 2, error: errno.ENOSPC });
  const results = [append(journal, 10, 1), append(journal, 20, 1)];
  await world.run(0.1);
  t.same(
    results.map((each) => each.results),
    [[-errno.EIO], [-errno.ENOSPC]],
  );
  t.same([failures, journal.failure], [[`${PATHS[0]}: ${-errno.EIO}`], -errno.EIO]);
});

t.test('no marker is written once a commit was reported to have failed', async (t) => {
  const { journal, world, host, held, append, commit, recover } = await opened();
  append(journal, 10, 1);
  await commit(journal, 1);
  append(journal, 20, 2);
  held.hold('synced', PATHS[0]);
  const results: number[] = [];
  journal.commit(facts(2), (result) => results.push(result));
  await world.run(0.1);
  t.equal(held.waiting('synced', PATHS[0]), 1, 'the records');
  host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  append(journal, 30, 3);
  await world.run(0.1);
  t.same(results, [-errno.EIO]);
  held.release('synced', PATHS[0]);
  await world.run(0.1);
  t.equal((await recover()).marker?.epoch, 1);
});

t.test('who appended a record hears when it is written, or that it is not', async (t) => {
  const { journal, world, host, append } = await opened();
  const { results } = append(journal, 10, 1);
  t.same(results, []);
  await world.run(0.1);
  t.same(results, [0]);
  host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  const failed = append(journal, 20, 1);
  await world.run(0.1);
  t.same(failed.results, [-errno.EIO]);
});

t.test('a file is damaged whose headers, markers or records are not what was written', async (t) => {
  for (const [position, message] of [
    [[100, BLOCK + 100], /journal-0 is damaged: neither copy of its header/],
    [[FIRST_MARKER_AT + BLOCK + 100], /journal-0 is damaged: the marker at 12288/],
    [[FIRST_MARKER_AT + 5 * BLOCK + 100], /the marker at 28672 is not sound/],
    [[FIRST_RECORD_AT + 8], /the record at 73728 is not the one that was committed/],
    [[FIRST_RECORD_AT + 64], /the content of the record at 73728 is wrong/],
    [[FIRST_RECORD_AT + BLOCK + 7], /the content of the record at 73728 is wrong/],
    [[FIRST_RECORD_AT + 2 * BLOCK + 9], /the record at 81920 is not the one/],
  ] as const) {
    const { journal, append, commit, recover, host } = await opened();
    append(journal, 10, 1);
    append(journal, 20, 1);
    await commit(journal, 1);
    for (const at of position) host.files.rot(PATHS[0], at);
    await t.rejects(recover(), { result: -errno.EBADMSG, message });
  }
});

t.test('a file is damaged whose records are not as many, or as long, as its marker says', async (t) => {
  const end = FIRST_RECORD_AT + 4 * BLOCK;
  for (const [change, message] of [
    [{ records: 1 }, /journal-0 is damaged: the records up to 81920 are not those that were committed/],
    [{ chain: 1 }, /the records up to 90112 are not those that were committed/],
    [{ end: end + BLOCK }, /the records up to 90112 are not those that were committed/],
    [{ records: 3, end: end + 2 * BLOCK }, /the record at 90112 is not the one that was committed/],
    [{ end: end - BLOCK }, /the record at 81920 is too long/],
    [{ end: BYTES + BLOCK }, /its records end at \d+, after the file/],
  ] as const) {
    const { journal, append, commit, recover, host } = await opened();
    append(journal, 10, 1);
    append(journal, 20, 1);
    await commit(journal, 1);
    const { marker } = await recover();
    if (marker === undefined) throw new Error('nothing is committed');
    t.equal(marker.at.end, end);
    const bytes = Buffer.from(host.files.contents(PATHS[0]));
    bytes.set(encodeMarker({ ...marker, at: { ...marker.at, ...change } }), FIRST_MARKER_AT + BLOCK);
    host.files.put(PATHS[0], bytes);
    await t.rejects(recover(), { result: -errno.EBADMSG, message });
  }
});

t.test('one damaged copy of a header is reported, and written anew', async (t) => {
  for (const at of [100, BLOCK + 100]) {
    const { journal, append, commit, recover, host, notices } = await opened();
    append(journal, 10, 1);
    await commit(journal, 1);
    const before = Buffer.from(host.files.contents(PATHS[0]));
    host.files.rot(PATHS[0], at);
    t.same((await recover()).shown, [[1, 10]]);
    t.match(notices, [/journal-0: one copy of the header was damaged/]);
    t.ok(Buffer.from(host.files.contents(PATHS[0])).equals(before));
    await recover();
    t.equal(notices.length, 1);
  }
});

t.test('a record of another segment is not taken for one that was committed', async (t) => {
  const { journal, append, commit, recover, host } = await opened();
  append(journal, 10, 1);
  await commit(journal, 1);
  const bytes = Buffer.from(host.files.contents(PATHS[0]));
  const record = bytes.subarray(FIRST_RECORD_AT, FIRST_RECORD_AT + 2 * BLOCK);
  const header = { kind: 'data', checkpoint: 1, extents: 1, bytes: record.length } as const;
  sealRecord(record, { ...header, segment: 2, number: 0 }, { salt: 1001, chain: 1001 });
  host.files.put(PATHS[0], bytes);
  await t.rejects(recover(), /the record at 73728 is not the one that was committed/);
});

t.test('a segment that follows one that is in neither file is refused', async (t) => {
  const { journal, append, commit, recover, host } = await opened();
  append(journal, 10, 1, ROOM - 1);
  append(journal, 20, 1);
  await commit(journal, 1);
  const other = stateFiles();
  await other.world.complete(SegmentFile.create(other.files, PATHS[0], BYTES));
  host.files.put(PATHS[0], Buffer.from(other.host.files.contents(PATHS[0])));
  await t.rejects(recover(), /journal-1 is damaged: segment 1, which it follows, is in neither file/);
  t.same((await recover(2)).shown, [[1, 20]], 'unless it is on the image');
});
