// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import type { ResyncSlots } from '../../../../src/replication/disk/backup/checkpoint-store.js';
import { Layer } from '../../../../src/replication/disk/backup/layer.js';
import { SectorMap } from '../../../../src/replication/disk/backup/sector-map.js';
import { SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import { NO_ID } from '../../../../src/replication/disk/format/metadata-record.js';
import { contentOf } from '../simulation/content.js';
import { memoryPiece } from './memory-piece.js';
import { JOURNAL, TestStore } from './test-store.js';

const RESYNC_ID = '00000000000000bb';
/** So many sectors fill a record, of which a file of 140 blocks has room for one. */
const RECORD = 1024;

/** The slots of a resync that brought one grain. */
function slots(tag: number): ResyncSlots {
  const map = new SectorMap();
  map.set(8, 12, memoryPiece(tag, 4), 0);
  return { id: RESYNC_ID, crc: 99, map };
}

/** The newest marker that the journal's files have now. */
async function marker({ files }: TestStore) {
  const markers = [];
  for (const path of JOURNAL) {
    const file = await files.wait(SegmentFile.load(files.calls, path, () => {}));
    markers.push(...(file?.markers ?? []));
  }
  return markers.toSorted((a, b) => a.sequence - b.sequence).at(-1);
}

t.test(
  'a read sees the last checkpoint, and nothing of the open one, before and after it is on the image',
  async (t) => {
    const one = await TestStore.open();
    one.disk.isHeld = true;
    one.write(8, 1, 4);
    one.store.zero(9, 1);
    t.equal(one.store.openBytes, 5 * 512);
    t.equal(await one.commit(1), 0);
    t.equal(one.store.openBytes, 0);
    one.write(8, 2);
    t.same(await one.tags(8, 4), [1, 0, 1, 1]);
    t.ok(one.store.isWritingOut);
    one.disk.release();
    t.equal(await one.drain(), 0);
    t.notOk(one.store.isWritingOut);
    t.same([...contentOf(one.disk.bytes).subarray(7, 13)], [0, 1, 0, 1, 1, 0]);
    t.same(await one.tags(8, 4), [1, 0, 1, 1]);
  },
);

t.test('a checkpoint that was dropped is in no later one', async (t) => {
  const one = await TestStore.open();
  one.write(8, 1);
  one.store.abort();
  t.equal(one.store.openBytes, 0);
  t.equal(one.store.aborts, 1);
  one.store.abort();
  t.equal(one.store.aborts, 2);
  t.equal(one.store.sectors, 4096);
  one.write(9, 2);
  t.equal(await one.commit(1), 0);
  t.same(await one.tags(8, 2), [0, 2]);
});

t.test('a commit names its epoch and generation on stable storage, and no resync', async (t) => {
  const one = await TestStore.open();
  one.store.generation = '00000000000000aa';
  t.equal(await one.commit(5), 0);
  t.match(await marker(one), {
    generation: '00000000000000aa',
    epoch: 5,
    resyncId: NO_ID,
    resyncCheckpoint: 0,
  });
});

t.test('while a commit is on its way, the store says so', async (t) => {
  const one = await TestStore.open();
  t.notOk(one.store.isCommitting);
  const committed = one.commit(1);
  t.ok(one.store.isCommitting);
  t.ok(one.store.isWritingOut);
  await committed;
  t.notOk(one.store.isCommitting);
});

t.test('checkpoints reach the image one layer at a time, in order', async (t) => {
  const one = await TestStore.open();
  one.disk.isHeld = true;
  for (const epoch of [1, 2, 3]) {
    one.write(8, epoch);
    one.write(epoch * 100, epoch);
    t.equal(await one.commit(epoch), 0);
  }
  t.same(one.disk.calls, ['write 8+1', 'write 100+1'], 'the others wait for the first');
  t.same(await one.tags(8, 1), [3]);
  while (one.disk.waiting.length > 0) one.disk.waiting.shift()?.();
  t.same(one.disk.calls.slice(2), ['write 8+1', 'write 200+1', 'write 300+1'], 'the later two are one layer');
  one.disk.release();
  t.equal(await one.drain(), 0);
  t.same([...contentOf(one.disk.bytes)].filter(Boolean), [3, 1, 2, 3]);
});

t.test('the image is synced, and what it has is durable, before a drain completes', async (t) => {
  const one = await TestStore.open();
  one.write(8, 1);
  await one.commit(7);
  await one.settle();
  t.same(one.disk.calls, ['write 8+1'], 'no sync without need');
  const drained: number[] = [];
  one.heldRetires = [];
  one.disk.isHeld = true;
  one.store.drain((result) => drained.push(result));
  t.same(one.disk.calls, ['write 8+1', 'flush']);
  t.same(one.retired, []);
  one.disk.release();
  t.same(one.retired, [{ firstLive: 1, epoch: 7, checkpoint: 1, dropsResync: false }]);
  t.same(drained, []);
  one.heldRetires[0]?.(0);
  t.same(drained, [0]);
});

t.test(
  'a drain waits for the sync of what was committed before it, not only for one that is under way',
  async (t) => {
    const one = await TestStore.open();
    one.heldRetires = [];
    const drained: string[] = [];
    one.store.drain(() => drained.push('first'));
    t.equal(one.heldRetires.length, 1);
    one.write(8, 1);
    t.equal(await one.commit(1), 0);
    t.same(one.disk.calls, ['flush', 'write 8+1']);
    one.store.drain(() => drained.push('second'));
    one.heldRetires.shift()?.(0);
    t.notOk(drained.includes('second'), 'the image has it, but not durably');
    t.same(one.disk.calls, ['flush', 'write 8+1', 'flush']);
    one.heldRetires.shift()?.(0);
    t.same(drained, ['first', 'second']);
    t.match(one.retired.at(-1), { epoch: 1, checkpoint: 1 });
  },
);

t.test('what reaches the image while that is synced is not taken to be durable', async (t) => {
  const one = await TestStore.open();
  one.disk.isHeld = true;
  one.store.drain(() => {});
  one.write(8, 1);
  t.equal(await one.commit(1), 0);
  t.same(one.disk.calls, ['flush', 'write 8+1']);
  const [flushed, written] = one.disk.waiting.splice(0);
  written?.();
  flushed?.();
  t.same(one.retired, [{ firstLive: 1, epoch: 0, checkpoint: 0, dropsResync: false }]);
  one.disk.release();
  t.match(one.retired[1], { epoch: 1, checkpoint: 1 });
});

t.test('a segment that the open checkpoint has records in is not freed', async (t) => {
  const one = await TestStore.open({ blocks: 140 });
  one.write(0, 1, RECORD);
  one.write(RECORD, 2, RECORD);
  await one.settle();
  t.equal(one.journal.segment, 2);
  t.equal(await one.drain(), 0);
  t.match(one.retired, [{ firstLive: 1 }]);
});

t.test('layers that are frozen while the first is written keep what the journal has of it', async (t) => {
  const one = await TestStore.open();
  one.disk.isHeld = true;
  one.write(8, 1);
  await one.commit(1);
  const { release } = one.store.freeze();
  one.store.drain(() => {});
  one.disk.release();
  t.same(one.disk.calls, ['write 8+1'], 'no sync that would free it');
  release();
  t.same(one.disk.calls, ['write 8+1', 'flush']);
});

t.test('the image is synced once at a time', async (t) => {
  const one = await TestStore.open();
  one.disk.isHeld = true;
  one.store.drain(() => {});
  one.store.drain(() => {});
  t.same(one.disk.calls, ['flush']);
  one.disk.release();
  one.write(8, 1);
  await one.commit(1);
  await one.settle();
  t.same(one.disk.calls, ['flush', 'write 8+1']);
});

t.test('the journal keeps the segment of a layer that the image does not have', async (t) => {
  const one = await TestStore.open({ blocks: 140 });
  one.disk.isHeld = true;
  one.write(0, 1, 100);
  await one.commit(1);
  one.write(0, 2, 900);
  await one.commit(2);
  one.write(0, 3, RECORD);
  await one.settle();
  t.same(one.disk.calls, ['write 0+100']);
  one.disk.waiting.shift()?.();
  t.same(one.disk.calls, ['write 0+100', 'write 0+900'], 'no sync, as it would make nothing free');
  t.same(one.retired, []);
  one.disk.release();
  t.match(one.retired, [{ firstLive: 2, epoch: 2, checkpoint: 2 }]);
});

for (const isClosing of [false, true]) {
  const next = isClosing ? 'a commit on its way' : 'the next layer';
  t.test(`a segment that is before ${next} is freed before that is written`, async (t) => {
    const one = await TestStore.open({ blocks: 140 });
    one.disk.isHeld = true;
    one.write(0, 1, 900);
    await one.commit(1);
    one.write(0, 2, 900);
    const committed = one.commit(2);
    if (!isClosing) await committed;
    one.disk.waiting.shift()?.();
    t.same(one.disk.calls, ['write 0+900', 'flush']);
    one.disk.release();
    t.match(one.retired, [{ firstLive: 2, epoch: 1, checkpoint: 1 }]);
    t.equal(await committed, 0);
    await one.settle();
    t.same(one.disk.calls, ['write 0+900', 'flush', 'write 0+900'], 'and the rest without another sync');
  });
}

t.test('a drain that begins while another is on its way completes too', async (t) => {
  const one = await TestStore.open();
  one.heldRetires = [];
  const drained: number[] = [];
  one.store.drain((result) => drained.push(result));
  one.store.drain((result) => drained.push(result));
  one.write(8, 1);
  t.equal(await one.commit(1), 0);
  for (let done = one.heldRetires.shift(); done; done = one.heldRetires.shift()) {
    done(0);
    await one.settle();
  }
  t.same(drained, [0, 0]);
  t.equal(contentOf(one.disk.bytes)[8], 1);
});

t.test('what was recovered is shown at once, and written to the image from the start on', async (t) => {
  const recovered = new Layer(4, 9);
  recovered.firstSegment = 1;
  recovered.map.set(8, 9, memoryPiece(6, 1), 0);
  const one = await TestStore.open({ recovered, lastNumber: 9, applied: { epoch: 3, checkpoint: 8 } });
  t.same(one.disk.calls, []);
  one.disk.isHeld = true;
  one.store.start();
  t.same(one.disk.calls, ['write 8+1']);
  t.same(await one.tags(8, 1), [6]);
  one.disk.release();
  t.equal(await one.drain(), 0);
  t.match(one.retired, [{ epoch: 4, checkpoint: 9 }]);
  one.write(8, 7);
  await one.commit(5);
  await one.drain();
  t.match(one.retired.at(-1), { epoch: 5, checkpoint: 10 }, 'the next checkpoint has the next number');
});

t.test('without anything recovered the image has what it had', async (t) => {
  const one = await TestStore.open({ lastNumber: 9, applied: { epoch: 3, checkpoint: 8 } });
  one.store.start();
  t.equal(await one.drain(), 0);
  t.same(one.retired, [{ firstLive: 1, epoch: 3, checkpoint: 8, dropsResync: false }]);
});

t.test(
  'layers that are frozen stay readable and are not written to the image until they are released',
  async (t) => {
    const one = await TestStore.open();
    one.disk.isHeld = true;
    one.write(8, 1);
    await one.commit(1);
    one.disk.release();
    await one.drain();
    one.disk.calls.length = 0;
    const empty = one.store.freeze();
    one.write(8, 2);
    await one.commit(2);
    const frozen = one.store.freeze();
    one.write(8, 3);
    await one.commit(3);
    t.same(one.disk.calls, [], 'nothing is written');
    const look = async (layers: typeof frozen.layers): Promise<number | undefined> => {
      const bytes = new Uint8Array(512);
      t.equal(await one.files.ended((done) => one.store.readLayers(layers, 8, bytes, done)), 0);
      return contentOf(bytes)[0];
    };
    t.equal(await look(empty.layers), 1);
    t.equal(await look(frozen.layers), 2, 'what is committed later is not added to them');
    t.same(await one.tags(8, 1), [3]);
    one.disk.calls.length = 0;
    empty.release();
    t.same(one.disk.calls, [], 'the other is still frozen');
    frozen.release();
    await one.settle();
    t.same(one.disk.calls, ['write 8+1', 'write 8+1']);
  },
);

t.test('layers that are frozen twice stay frozen until both are released', async (t) => {
  const one = await TestStore.open();
  const views = [one.store.freeze(), one.store.freeze()];
  one.write(8, 1);
  await one.commit(1);
  views[0]?.release();
  await one.settle();
  t.same(one.disk.calls, [], 'nothing is written');
  views[1]?.release();
  await one.settle();
  t.same(one.disk.calls, ['write 8+1']);
});

t.test('checkpoints after frozen ones are layers of their own, of which the last is shown', async (t) => {
  const one = await TestStore.open();
  one.disk.isHeld = true;
  const commit = async (epoch: number): Promise<void> => {
    one.write(8, epoch);
    t.equal(await one.commit(epoch), 0);
  };
  await commit(1);
  await commit(2);
  const { layers, release } = one.store.freeze();
  t.equal(layers.length, 2);
  await commit(3);
  const bytes = new Uint8Array(512);
  t.equal(await one.files.ended((done) => one.store.readLayers(layers, 8, bytes, done)), 0);
  t.equal(contentOf(bytes)[0], 2);
  release();
  await commit(4);
  t.same(await one.tags(8, 1), [4]);
  one.disk.release();
  await one.settle();
  t.equal(one.disk.calls.filter((call) => call.startsWith('write')).length, 3);
  t.equal(await one.drain(), 0);
  t.equal(contentOf(one.disk.bytes)[8], 4);
  t.match(one.retired.at(-1), { epoch: 4, checkpoint: 4 });
});

t.test('the journal keeps what a read needs until the read has ended', async (t) => {
  const one = await TestStore.open();
  one.write(8, 1);
  one.disk.isHeld = true;
  await one.commit(1);
  const bytes = new Uint8Array(1024);
  const results: number[] = [];
  one.store.read(8, bytes, (result) => results.push(result));
  t.same(one.disk.calls, ['write 8+1', 'read 9+1']);
  one.disk.waiting[0]?.();
  const drained: number[] = [];
  one.store.drain((result) => drained.push(result));
  t.same(one.retired, []);
  t.notOk(one.disk.calls.includes('flush'));
  one.disk.waiting[1]?.();
  t.same(results, [0]);
  t.same(one.disk.calls.slice(2), ['flush']);
  one.store.read(8, bytes, () => {});
  one.disk.waiting[2]?.();
  t.same(drained, [0], 'a read that began later reads the image, and is not waited for');
});

t.test('every read that is under way is waited for', async (t) => {
  const one = await TestStore.open();
  one.write(8, 1);
  one.disk.isHeld = true;
  await one.commit(1);
  const results: number[] = [];
  for (let count = 0; count < 3; count++)
    one.store.read(8, new Uint8Array(1024), (result) => results.push(result));
  const [applied, ...reads] = one.disk.waiting.splice(0);
  one.store.drain(() => {});
  applied?.();
  for (const [index, read] of reads.entries()) {
    t.equal(one.disk.calls.includes('flush'), false);
    read();
    t.equal(results.length, index + 1);
  }
  t.equal(one.disk.calls.at(-1), 'flush');
});

t.test('a read of what is on the image alone ends once', async (t) => {
  const one = await TestStore.open();
  const results: number[] = [];
  one.store.read(8, new Uint8Array(512), (result) => results.push(result));
  await one.settle();
  t.same(results, [0]);
  t.same(one.disk.calls, ['read 8+1']);
});

t.test('while more waits to be written than memory may take, there is no room', async (t) => {
  const one = await TestStore.open({ memoryBytes: 64 << 10 });
  const rooms: string[] = [];
  one.write(0, 1, RECORD);
  t.notOk(one.store.hasRoom, 'a record of the largest size may wait');
  t.notOk(one.store.isFull);
  one.store.onRoom(() => rooms.push('room'));
  await one.settle();
  t.same(rooms, ['room']);
  t.ok(one.store.hasRoom);
  one.write(0, 2, RECORD);
  await one.settle();
  t.same(rooms, ['room'], 'who waited is called once');
  const large = await TestStore.open({ memoryBytes: 4 << 20 });
  for (let count = 1; count <= 3; count++) large.write(0, count, RECORD);
  t.ok(large.store.hasRoom, 'half of the memory may wait');
  large.write(0, 4, RECORD);
  t.notOk(large.store.hasRoom);
});

t.test('a resync lies under the records of its checkpoint and over earlier ones', async (t) => {
  const one = await TestStore.open();
  one.disk.isHeld = true;
  one.write(8, 1, 4);
  await one.commit(1);
  one.write(9, 2);
  t.equal(await one.files.ended((done) => one.store.commitWith(2, slots(50), done)), 0);
  t.same(await one.tags(8, 4), [50, 2, 52, 53]);
  one.disk.release();
  await one.drain();
  t.same([...contentOf(one.disk.bytes).subarray(8, 12)], [50, 2, 52, 53]);
});

t.test('every commit names the resync until the image has it durably, and then none does', async (t) => {
  const one = await TestStore.open();
  const facts = { resyncId: RESYNC_ID, resyncCrc: 99, resyncCheckpoint: 2 };
  await one.commit(1);
  one.heldRetires = [];
  one.write(9, 2);
  await one.files.ended((done) => one.store.commitWith(2, slots(50), done));
  t.match(await marker(one), facts);
  one.write(9, 3);
  await one.commit(3);
  t.match(await marker(one), facts);
  await one.settle();
  t.match(one.retired, [{ dropsResync: true, epoch: 2, checkpoint: 2 }], 'the image is synced for it');
  one.heldRetires.shift()?.(0);
  await one.commit(4);
  t.match(await marker(one), { resyncId: NO_ID, resyncCrc: 0, resyncCheckpoint: 0 });
  one.heldRetires = undefined;
  await one.drain();
  t.match(one.retired.at(-1), { dropsResync: false });
});

t.test('a resync that is committed while the image is synced is named until a later sync', async (t) => {
  const one = await TestStore.open();
  one.heldRetires = [];
  one.store.drain(() => {});
  one.disk.isHeld = true;
  await one.files.ended((done) => one.store.commitWith(1, slots(50), done));
  one.heldRetires.shift()?.(0);
  await one.commit(2);
  t.match(await marker(one), { resyncId: RESYNC_ID });
});

t.test('a resync that was recovered is named until the image has it', async (t) => {
  const neededResync = { resyncId: RESYNC_ID, resyncCrc: 7, resyncCheckpoint: 3 };
  const recovered = new Layer(4, 4);
  recovered.resyncId = RESYNC_ID;
  recovered.map.set(8, 9, memoryPiece(6, 1), 0);
  const one = await TestStore.open({ recovered, neededResync, lastNumber: 4 });
  await one.commit(5);
  t.match(await marker(one), neededResync);
  await one.drain();
  t.match(one.retired[0], { dropsResync: true });
  await one.commit(6);
  t.match(await marker(one), { resyncId: NO_ID });
});

t.test('a failure of the image, of its sync, or of what is recorded of it ends the store once', async (t) => {
  const failed = async (what: string, fail: (one: TestStore) => Promise<void>): Promise<void> => {
    const one = await TestStore.open();
    one.disk.isHeld = true;
    one.heldRetires = [];
    one.write(8, 1);
    await one.commit(1);
    const drained: number[] = [];
    one.store.drain((result) => drained.push(result));
    await fail(one);
    t.same(one.failures, [`${what}: ${-errno.EIO}`]);
    t.same(drained, [-errno.EIO], what);
    one.store.fail('do more', -errno.ENOSPC);
    t.equal(one.failures.length, 1);
    t.equal(await one.tags(8, 1), -errno.EIO);
    t.equal(await one.commit(2), -errno.EIO);
    t.equal(
      await one.files.ended((done) => one.store.readLayers([], 8, new Uint8Array(512), done)),
      -errno.EIO,
    );
    const results: number[] = [];
    const done = (result: number): void => void results.push(result);
    one.store.commit(3, done);
    one.store.read(8, new Uint8Array(512), done);
    one.store.readLayers([], 8, new Uint8Array(512), done);
    await one.settle();
    t.same(results, [-errno.EIO, -errno.EIO, -errno.EIO], 'each once');
    t.notOk(one.store.hasRoom);
    const { length } = one.disk.calls;
    one.store.start();
    t.equal(one.disk.calls.length, length, 'nothing more is written');
    t.equal(one.retired.length, what === 'write the metadata' ? 1 : 0);
  };
  await failed('write a checkpoint to the image', async ({ disk }) => disk.waiting.shift()?.(-errno.EIO));
  await failed('sync the image', async ({ disk }) => {
    disk.waiting.shift()?.();
    disk.waiting.shift()?.(-errno.EIO);
  });
  await failed('write the metadata', async (one) => {
    one.disk.release();
    one.heldRetires?.shift()?.(-errno.EIO);
  });
});

t.test('a commit that the journal cannot make durable fails, and ends the store', async (t) => {
  const one = await TestStore.open();
  one.write(8, 1);
  one.files.host.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  t.equal(await one.commit(1), -errno.EIO);
  t.same(one.failures, [`commit a checkpoint: ${-errno.EIO}`]);
  t.same(one.disk.calls, [], 'the image is left as it is');
  t.notOk(one.store.isCommitting);
  t.equal(await one.tags(8, 1), -errno.EIO);
});

/** Fills the journal with an open checkpoint: writes of 64 KiB, until one has no room. */
function fill({ store }: TestStore): void {
  for (let count = 0; count < 40 && store.hasRoom; count++)
    store.write((count % 16) * 128, new Uint8Array(64 << 10));
}

t.test('an open checkpoint that fills the journal is full, until it is dropped', async (t) => {
  const one = await TestStore.open({ blocks: 140 });
  const rooms: string[] = [];
  t.ok(one.store.hasRoom);
  t.notOk(one.store.isFull);
  fill(one);
  await one.settle();
  t.notOk(one.store.hasRoom);
  t.ok(one.store.isFull);
  one.store.onRoom(() => rooms.push('room'));
  t.same(rooms, []);
  one.disk.isHeld = true;
  one.store.abort();
  t.same(rooms, ['room']);
  t.ok(one.store.hasRoom);
  t.notOk(one.store.isFull);
  one.disk.release();
  await one.settle();
  t.equal(one.retired.length, 1, 'what it had of the journal is free');
});

t.test(
  'a commit that the journal has no room for is made once the image has what is before it',
  async (t) => {
    const one = await TestStore.open({ blocks: 140 });
    one.disk.isHeld = true;
    one.write(0, 1, 900);
    t.equal(await one.commit(1), 0);
    one.write(0, 2, RECORD);
    one.write(RECORD, 3, RECORD);
    await one.settle();
    t.notOk(one.store.hasRoom);
    t.notOk(one.store.isFull, 'the image may make room');
    const results: number[] = [];
    one.store.commit(2, (result) => results.push(result));
    await one.settle();
    t.same(results, []);
    one.disk.release();
    await one.settle();
    t.same(results, [0]);
    t.ok(one.store.hasRoom);
    t.equal(await one.drain(), 0);
    const content = contentOf(one.disk.bytes);
    t.same([content[0], content[RECORD - 1], content[RECORD], content[2 * RECORD - 1]], [2, 2, 3, 3]);
  },
);

t.test('while anything may make room the journal is not full, whatever it waits for', async (t) => {
  const one = await TestStore.open({ blocks: 140 });
  const rooms: string[] = [];
  one.disk.isHeld = true;
  one.heldRetires = [];
  one.write(0, 1, 900);
  const committed = one.commit(1);
  one.write(0, 2, 3 * RECORD);
  one.store.onRoom(() => rooms.push('room'));
  t.notOk(one.store.hasRoom);
  t.notOk(one.store.isFull, 'a commit is on its way');
  await committed;
  await one.settle();
  t.notOk(one.store.isFull, 'a layer is');
  one.disk.release();
  t.equal(one.heldRetires.length, 1);
  t.notOk(one.store.isFull, 'what the image has is being recorded');
  t.same(rooms, []);
  one.heldRetires.shift()?.(0);
  await one.settle();
  t.notOk(one.store.hasRoom);
  t.ok(one.store.isFull);
  t.same(rooms, ['room'], 'who waits is called, as waiting makes no room any more');
});

for (const [what, more] of [
  ['write', (one: TestStore) => one.write(RECORD, 3, RECORD)],
  [
    'zeroes',
    (one: TestStore) => {
      for (let count = 0; count < 8000; count++) one.store.zero(1000 + (count % 400) * 2, 1);
    },
  ],
] as const) {
  t.test(`the image is synced for room only when a ${what} finds none in the journal`, async (t) => {
    const one = await TestStore.open({ blocks: 140 });
    one.write(0, 1, 900);
    t.equal(await one.commit(1), 0);
    one.write(0, 2, RECORD);
    await one.settle();
    t.same(one.disk.calls, ['write 0+900']);
    more(one);
    t.equal(one.disk.calls.at(-1), 'flush');
    await one.settle();
    t.match(one.retired, [{ firstLive: 2, epoch: 1, checkpoint: 1 }]);
    t.ok(one.store.hasRoom);
    t.equal(await one.commit(2), 0);
    await one.settle();
    t.equal(((await one.tags(0, 1)) as number[])[0], 2);
  });
}

t.test('the image is synced for a commit whose last record finds no room', async (t) => {
  const one = await TestStore.open({ blocks: 140 });
  one.write(0, 1, 900);
  t.equal(await one.commit(1), 0);
  one.write(0, 2, RECORD);
  one.write(RECORD, 3, 100);
  await one.settle();
  t.same(one.disk.calls, ['write 0+900']);
  t.equal(await one.commit(2), 0);
  t.equal(one.disk.calls[1], 'flush');
});

t.test('a commit that waits for room ends with ECANCELED when the checkpoint is dropped', async (t) => {
  const one = await TestStore.open({ blocks: 140 });
  fill(one);
  await one.settle();
  const results: number[] = [];
  one.store.commit(1, (result) => results.push(result));
  t.ok(one.store.isCommitting);
  t.ok(one.store.isWritingOut);
  t.notOk(one.store.hasRoom);
  await one.settle();
  t.same(results, []);
  one.store.abort();
  t.same(results, [-errno.ECANCELED]);
  t.notOk(one.store.isCommitting);
  t.equal(await one.commit(2), 0);
});

t.test('a segment of the journal is free once the image has all of it, durably', async (t) => {
  const one = await TestStore.open({ blocks: 140 });
  for (let epoch = 1; epoch <= 8; epoch++) {
    one.write(0, epoch, 900);
    t.equal(await one.commit(epoch), 0);
    await one.settle();
  }
  t.ok(one.retired.length >= 3, 'without it the journal would be full');
  t.ok(one.retired.every(({ firstLive }, at) => firstLive > (one.retired[at - 1]?.firstLive ?? 1)));
  t.same(await one.tags(0, 1), [8]);
});
