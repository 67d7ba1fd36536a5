// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Which segments of the journal are needed, and what has to be synced before they are not.

import t from 'tap';
import { NOTHING_SURVIVES } from '../../../../src/testing/index.js';
import { tagged } from '../simulation/content.js';
import { DIRECTORY, STORE_SECTORS, StoreHost } from './store-host.js';

const GENERATION = '00000000000000aa';
const FIRST_FILE = `${DIRECTORY}/journal-0`;

/** A store on an image of zeroes. */
async function opened(): Promise<StoreHost> {
  const side = new StoreHost(1);
  await side.opened();
  return side;
}

/** Writes a tag to the whole disk: two records, each longer than half of a journal's file. */
function fill(side: StoreHost, tag: number): void {
  side.role?.store.write(0, tagged(tag, STORE_SECTORS));
}

/** Commits what is open; completes with the result, once `crash` has not come first. */
function commit(side: StoreHost, epoch: number): Promise<number> {
  return new Promise((resolve) => {
    side.role?.commit(epoch, GENERATION, undefined, resolve);
  });
}

/** The power goes, with all that was not synced; the tag of each sector that is shown after it, none twice. */
async function shownAfterCrash(side: StoreHost): Promise<number[]> {
  side.host.files.losePower(NOTHING_SURVIVES);
  side.crash('reset');
  for (const call of ['fdatasync', 'synced'] as const)
    for (const name of ['journal-0', 'journal-1', 'metadata'])
      side.held.release(call, `${DIRECTORY}/${name}`);
  side.host.restart();
  await side.opened();
  const { read, release } = side.look();
  const content = await side.world.complete(read());
  release();
  if (typeof content === 'number') throw new Error(`it shows nothing: ${content}`);
  return [...new Set(content)];
}

t.test('the segments of the open checkpoint stay, whatever else the image has', async (t) => {
  const side = await opened();
  const { world } = side;
  const { release } = side.look();
  side.role?.store.write(0, tagged(1, 1));
  t.equal(await world.complete(commit(side, 1)), 0);
  fill(side, 2);
  t.equal(side.role?.journal.segment, 2, 'the open checkpoint begins in the first segment');
  release();
  await world.run(1);
  t.notOk(side.role?.store.isWritingOut, 'the first checkpoint is on the image');
  side.look();
  t.equal(await world.complete(commit(side, 2)), 0);
  t.same(await shownAfterCrash(side), [2]);
});

t.test('what is written while its file is being synced needs another sync', async (t) => {
  const side = await opened();
  const { world, held } = side;
  side.look();
  held.hold('synced', FIRST_FILE);
  side.role?.store.write(0, tagged(1, 1));
  const first = commit(side, 1);
  const isHeld = (): boolean => held.waiting('synced', FIRST_FILE) > 0;
  await world.run(isHeld);
  held.release('synced', FIRST_FILE);
  held.hold('synced', FIRST_FILE);
  await world.run(isHeld);
  // The marker's sync has been carried out. The records go to both files, so that the next marker is in the second one.
  fill(side, 2);
  await world.run(1);
  t.equal(side.role?.journal.segment, 2);
  const second = commit(side, 2);
  held.release('synced', FIRST_FILE);
  t.same(await world.complete(Promise.all([first, second])), [0, 0]);
  t.same(await shownAfterCrash(side), [2]);
});

t.test('a segment is not used again before it is durable that nobody needs it', async (t) => {
  const side = await opened();
  const { world, held } = side;
  const metadata = `${DIRECTORY}/metadata`;
  const { release } = side.look();
  fill(side, 1);
  t.equal(await world.complete(commit(side, 1)), 0);
  t.equal(side.role?.journal.segment, 2);
  held.hold('fdatasync', metadata);
  release();
  await world.run(() => held.waiting('fdatasync', metadata) > 0);
  // The second file has no room for these records; they would go to the first one if that were free.
  held.hold('synced', FIRST_FILE);
  side.role?.store.write(0, tagged(2, STORE_SECTORS / 2));
  void commit(side, 2);
  await world.run(1);
  t.same(await shownAfterCrash(side), [1]);
});
