// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { ResyncSlots } from '../../../../src/replication/disk/backup/checkpoint-store.js';
import { readOverlay } from '../../../../src/replication/disk/backup/overlay.js';
import { recoverLayer } from '../../../../src/replication/disk/backup/recover-layer.js';
import { SectorMap } from '../../../../src/replication/disk/backup/sector-map.js';
import { SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import { contentOf } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { memoryPiece } from './memory-piece.js';
import { JOURNAL, TestStore } from './test-store.js';

const RESYNC_ID = '00000000000000bb';
const NONE = 0xeeeeeeee;
/** So many sectors fill a record, of which a file of 140 blocks has room for one. */
const RECORD = 1024;

/** The slots of a resync that brought sectors 0 to 3. */
function slots(): ResyncSlots {
  const map = new SectorMap();
  map.set(0, 4, memoryPiece(50, 4), 0);
  return { id: RESYNC_ID, crc: 99, map };
}

/** What another process recovers from a store's journal, and the files that it asked for. */
async function recover({ files }: TestStore, applied = 0) {
  const load = async (path: string): Promise<SegmentFile> => {
    const file = await files.wait(SegmentFile.load(files.calls, path, () => {}));
    if (file === undefined) throw new Error(`${path} is missing`);
    return file;
  };
  const pair = [await load(JOURNAL[0]), await load(JOURNAL[1])] as const;
  const loads: string[] = [];
  const recovered = await files.wait(
    recoverLayer(pair, 1, applied, async (id, crc) => {
      loads.push(`${id} ${crc}`);
      return slots();
    }),
  );
  const tags = async (end: number): Promise<number[]> => {
    const bytes = new Uint8Array(end * 512);
    const maps = recovered.layer ? [recovered.layer.map] : [];
    await files.ended((done) => readOverlay(new HeldDisk(end, 0xee), maps, 0, bytes, done));
    return [...contentOf(bytes)];
  };
  return { ...recovered, loads, tags };
}

/** A store of which the image gets nothing. */
async function heldStore(blocks?: number): Promise<TestStore> {
  const one = await TestStore.open(blocks === undefined ? {} : { blocks });
  one.disk.isHeld = true;
  return one;
}

t.test('an empty journal has no layer', async (t) => {
  const { layer, lastNumber, needsResync } = await recover(await heldStore(), 7);
  t.match({ layer, lastNumber, needsResync }, { layer: undefined, lastNumber: 7, needsResync: false });
});

t.test(
  'a layer has what was committed, in order, and nothing that was dropped or not committed',
  async (t) => {
    const one = await heldStore();
    one.write(0, 1, 4);
    await one.commit(1);
    one.write(0, 2, RECORD);
    one.store.abort();
    one.write(1, 3);
    one.store.zero(2, 1);
    await one.commit(5);
    one.write(0, 4, RECORD);
    await one.settle();
    const { layer, lastNumber, loads, needsResync, tags } = await recover(one);
    t.same(await tags(5), [1, 3, 0, 1, NONE]);
    t.match(layer, { epoch: 5, number: 3, firstSegment: 1, resyncId: undefined });
    t.equal(lastNumber, 3);
    t.notOk(needsResync);
    t.same(loads, []);
  },
);

t.test('checkpoints that the image has are not written to it again', async (t) => {
  const one = await heldStore();
  for (const epoch of [1, 2, 3]) {
    one.write(epoch, epoch);
    await one.commit(epoch);
  }
  t.same(await (await recover(one, 1)).tags(5), [NONE, NONE, 2, 3, NONE]);
  t.same(await (await recover(one, 2)).tags(5), [NONE, NONE, NONE, 3, NONE]);
  const all = await recover(one, 9);
  t.same(await all.tags(5), [NONE, NONE, NONE, NONE, NONE]);
  t.match(all, { lastNumber: 9, layer: { number: 9, epoch: 3 } });
});

t.test('a layer keeps the first segment that it has records in', async (t) => {
  const one = await heldStore(140);
  one.write(0, 1, 900);
  await one.commit(1);
  one.write(0, 2, RECORD);
  await one.commit(2);
  const { layer, tags } = await recover(one);
  t.equal(layer?.firstSegment, 1);
  t.same(new Set(await tags(RECORD)), new Set([2]));
});

t.test('a resync lies over the checkpoints before its own, and under its own and later ones', async (t) => {
  const one = await heldStore();
  one.write(0, 1, 5);
  await one.commit(1);
  one.write(1, 2);
  await one.files.ended((done) => one.store.commitWith(2, slots(), done));
  one.write(2, 3);
  await one.commit(3);
  const { layer, loads, needsResync, tags } = await recover(one);
  t.same(await tags(6), [50, 2, 3, 53, 1, NONE]);
  t.ok(needsResync);
  t.same(loads, [`${RESYNC_ID} 99`]);
  t.match(layer, { resyncId: RESYNC_ID, epoch: 3, number: 3 });
});

t.test('a resync that the image has is not needed, whatever the marker names', async (t) => {
  const one = await heldStore();
  one.write(1, 2);
  await one.files.ended((done) => one.store.commitWith(2, slots(), done));
  one.write(2, 3);
  await one.commit(3);
  const { layer, loads, needsResync, tags } = await recover(one, 1);
  t.same(await tags(4), [NONE, NONE, 3, NONE]);
  t.notOk(needsResync);
  t.same(loads, []);
  t.equal(layer?.resyncId, undefined);
});

t.test('a checkpoint that is a resync alone counts, though it has no records', async (t) => {
  const one = await heldStore();
  await one.commit(1);
  await one.commit(2);
  await one.files.ended((done) => one.store.commitWith(3, slots(), done));
  const { layer, lastNumber, tags } = await recover(one);
  t.same(await tags(5), [50, 51, 52, 53, NONE]);
  t.equal(lastNumber, 3);
  t.match(layer, { number: 3, firstSegment: Infinity });
});

t.test(
  'records are in the journal in the order of their writes, though one of them had no room',
  async (t) => {
    const one = await heldStore(140);
    one.write(0, 1, 900);
    await one.commit(1);
    one.write(0, 2, RECORD);
    one.write(0, 3, RECORD);
    await one.settle();
    t.notOk(one.store.hasRoom, 'the second one waits');
    one.write(0, 4);
    const committed = one.commit(2);
    one.disk.release();
    t.equal(await committed, 0);
    const { tags } = await recover(one, 1);
    t.same((await tags(2)).slice(0, 2), [4, 3]);
  },
);
