// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { readOverlay } from '../../../../src/replication/disk/backup/overlay.js';
import { ResyncFile } from '../../../../src/replication/disk/backup/resync-file.js';
import { DirectTarget, FileTarget } from '../../../../src/replication/disk/backup/sync-target.js';
import { DirtyMap } from '../../../../src/replication/disk/primary/dirty-map.js';
import { NOTHING_SURVIVES } from '../../../../src/testing/files/survival.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { TestFiles } from './host-files.js';

const ID = '0123456789abcdef';
const GRAIN = 8;
const SECTORS = 36;
const SHAPE = { sectors: SECTORS, grainSectors: GRAIN };
const RECEIVED = '/srv/state/received';
const NONE = 0xeeeeeeee;

async function fileTarget(files: TestFiles): Promise<FileTarget> {
  const file = await files.wait(ResyncFile.create(files.calls, '/srv/state/resync', ID, SHAPE, 5));
  return new FileTarget(file, GRAIN);
}

/** A first sync to an image, with its map of what has come in the files. */
async function directTarget(files: TestFiles, disk: HeldDisk, isBlank: boolean): Promise<DirectTarget> {
  const grains = Math.ceil(disk.sectors / GRAIN);
  const received = await files.wait(DirtyMap.create(files.calls, RECEIVED, grains, ID));
  return new DirectTarget(ID, disk, GRAIN, received, isBlank);
}

t.test('grains go to a resync’s file each to its place, the short last one too', async (t) => {
  const files = new TestFiles();
  const target = await fileTarget(files);
  t.equal(target.id, ID);
  const bytes = Buffer.concat([tagged(1, GRAIN), tagged(2, GRAIN)]);
  t.equal(await files.ended((done) => target.write(GRAIN, bytes, done)), 0);
  t.equal(await files.ended((done) => target.write(4 * GRAIN, tagged(5, 4), done)), 0);
  t.equal(await files.ended((done) => target.zero(2 * GRAIN, 2 * GRAIN, done)), 0);
  t.equal(await files.ended((done) => target.sync(done)), 0);
  const { id, map } = await files.wait(target.finish());
  t.equal(id, ID);
  const shown = new Uint8Array(SECTORS * 512);
  const disk = new HeldDisk(SECTORS, 0xee);
  await files.ended((done) => readOverlay(disk, [map], 0, shown, done));
  const grains = [NONE, 1, 0, 0, 5].flatMap((tag) => new Array<number>(GRAIN).fill(tag));
  t.same([...contentOf(shown)], grains.slice(0, SECTORS));
});

t.test('a write of grains to a file ends once all are written, with an error if one has', async (t) => {
  const files = new TestFiles();
  const target = await fileTarget(files);
  // Its slot is not where those of its neighbours will be.
  t.equal(await files.ended((done) => target.write(GRAIN, tagged(1, GRAIN), done)), 0);
  files.host.failCalls({ calls: ['write'], nth: 2, error: errno.EIO });
  const results: number[] = [];
  target.write(0, tagged(1, 3 * GRAIN), (result) => results.push(result));
  t.same(results, []);
  await files.world.run(() => results.length > 0);
  t.same(results, [-errno.EIO]);
  files.host.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  t.equal(await files.ended((done) => target.sync(done)), -errno.EIO);
});

t.test('a first sync writes to the image, and syncs it', async (t) => {
  const files = new TestFiles();
  const disk = new HeldDisk(8192);
  const target = await directTarget(files, disk, false);
  t.equal(target.id, ID);
  const results: number[] = [];
  const done = (result: number): void => void results.push(result);
  target.write(8, tagged(1, 4), done);
  target.zero(16, 8, done);
  target.sync(done);
  t.equal(await target.finish(), undefined);
  await files.world.run(() => results.length === 3);
  t.same(results, [0, 0, 0]);
  t.same(disk.calls, ['write 8+4', 'zero 16+8', 'flush', 'flush']);
  t.equal(contentOf(disk.bytes)[11], 1);
  disk.isHeld = true;
  const finished = target.finish();
  disk.waiting.pop()?.(-errno.EIO);
  await t.rejects(finished, { code: 'EIO' }, 'what is not on stable storage is not finished');
});

t.test('a grain counts as received once a sync that began after its write has ended', async (t) => {
  const files = new TestFiles();
  const disk = new HeldDisk(SECTORS);
  const target = await directTarget(files, disk, false);
  const ignore = (): void => {};
  target.write(0, tagged(1, GRAIN), ignore);
  t.same([...target.grains], []);
  disk.isHeld = true;
  const synced = new Promise<number>((resolve) => target.sync(resolve));
  target.write(GRAIN, tagged(2, GRAIN), ignore);
  target.write(2 * GRAIN, tagged(3, GRAIN), ignore);
  const [flushed, written, failed] = disk.waiting.splice(0);
  written?.();
  failed?.(-errno.EIO);
  flushed?.();
  t.equal(await files.wait(synced), 0);
  t.same([...target.grains], [0], 'the second one may not be on stable storage');
  disk.isHeld = false;
  t.equal(await files.ended((done) => target.sync(done)), 0);
  t.same([...target.grains], [0, 1], 'and the third one was not written');
});

t.test('a first sync of a blank image writes zeroes only where something was written', async (t) => {
  const MIB = 2048;
  const disk = new HeldDisk(8 * MIB);
  const target = await directTarget(new TestFiles(), disk, true);
  const results: number[] = [];
  const zero = (sector: number, sectors: number): void =>
    target.zero(sector, sectors, (result) => results.push(result));
  zero(0, 8 * MIB);
  t.same(disk.calls, [], 'nothing was written');
  target.write(3 * MIB - 8, tagged(1, 8), () => {});
  target.write(5 * MIB - 8, tagged(1, 16), () => {});
  disk.calls.length = 0;
  for (const [sector, sectors] of [
    [0, 2 * MIB],
    [3 * MIB, MIB],
    [6 * MIB, 2 * MIB],
    [6 * MIB, 1],
  ] as const)
    zero(sector, sectors);
  t.same(disk.calls, [], 'the MiB before and after');
  for (const [sector, sectors] of [
    [2 * MIB, 8],
    [3 * MIB - 1, 1],
    [0, 2 * MIB + 1],
    [4 * MIB, 8],
    [6 * MIB - 8, 8],
    [3 * MIB, 5 * MIB],
  ] as const)
    zero(sector, sectors);
  t.same(disk.calls, [
    `zero ${2 * MIB}+8`,
    `zero ${3 * MIB - 1}+1`,
    `zero 0+${2 * MIB + 1}`,
    `zero ${4 * MIB}+8`,
    `zero ${6 * MIB - 8}+8`,
    `zero ${3 * MIB}+${5 * MIB}`,
  ]);
  t.same(new Set(results), new Set([0]));
  t.equal(results.length, 11);
});

t.test('what has come of a first sync is known after a crash, once it was synced', async (t) => {
  const files = new TestFiles();
  const disk = new HeldDisk(100 * GRAIN + 4);
  const target = await directTarget(files, disk, true);
  files.host.system.syncAll();
  const done = (): void => {};
  target.write(3 * GRAIN, tagged(1, 2 * GRAIN), done);
  target.zero(90 * GRAIN, 10 * GRAIN + 4, done);
  t.same([...target.grains], []);
  t.equal(await files.ended((ended) => target.sync(ended)), 0);
  const grains = [3, 4, ...Array.from({ length: 11 }, (_, at) => 90 + at)];
  t.same([...target.grains], grains);
  target.write(8 * GRAIN, tagged(1, GRAIN), done);
  files.host.losePower(NOTHING_SURVIVES);
  const loaded = await files.wait(DirtyMap.load(files.calls, RECEIVED, 101, ID, () => {}));
  t.same([...loaded.bits], grains);
});

t.test('a grain of a first sync has come only when the image is synced, which may fail', async (t) => {
  const files = new TestFiles();
  const disk = new HeldDisk(100 * GRAIN);
  const target = await directTarget(files, disk, true);
  target.write(0, tagged(1, GRAIN), () => {});
  disk.isHeld = true;
  const results: number[] = [];
  target.sync((result) => results.push(result));
  await files.world.run(1);
  t.same([[...target.grains], results], [[], []]);
  disk.waiting.pop()?.(-errno.EIO);
  t.same([[...target.grains], results, target.hasFailed], [[], [-errno.EIO], true]);
});

t.test('a first sync is resumed once its writes have ended and are durable', async (t) => {
  const files = new TestFiles();
  const disk = new HeldDisk(100 * GRAIN);
  const target = await directTarget(files, disk, true);
  disk.isHeld = true;
  target.write(0, tagged(1, GRAIN), () => {});
  let isResumed = false;
  const resumed = target.resume().then(() => (isResumed = true));
  await files.world.run(1);
  t.same([isResumed, disk.calls], [false, ['write 0+8']]);
  disk.isHeld = false;
  disk.waiting.pop()?.(0);
  await files.wait(resumed);
  t.same([disk.calls.at(-1), [...target.grains]], ['flush', [0]]);
});

t.test('a resync’s file is resumed with what was written before, durably', async (t) => {
  const files = new TestFiles();
  const target = await fileTarget(files);
  files.host.system.syncAll();
  target.write(GRAIN, tagged(1, GRAIN), () => {});
  await files.wait(target.resume(5));
  t.same([target.grains, target.hasFailed], [[1], false]);
  files.host.losePower(NOTHING_SURVIVES);
  const found = await files.wait(ResyncFile.resume(files.calls, '/srv/state/resync', SHAPE));
  t.same(found?.grains, [1]);
});
