// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What has to be on stable storage before something else is done: its sync is held, and the other thing must wait.

import t from 'tap';
import { NOTHING_SURVIVES } from '../../../src/testing/index.js';
import { DIRECTORY, IMAGE, pair, type SideNode } from './world.js';

const METADATA = `${DIRECTORY}/metadata`;
const MAP = `${DIRECTORY}/map`;
const GRAIN_SECTORS = 128;

/** What the image has at a sector, whatever was synced. */
function onImage({ host }: SideNode, sector: number): number {
  return host.files.contents(IMAGE)[sector * 512] ?? -1;
}

t.test('a commit is sent only once its number is durable', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  const epoch = b.engine.status().epochCommitted;
  a.held.hold('fdatasync', METADATA);
  t.equal(await a.write(8, 8, 2), 0, 'a write does not wait for that');
  let asked: number | undefined;
  a.engine.checkpoint((result) => (asked = result));
  await world.run(1);
  t.equal(a.held.waiting('fdatasync', METADATA), 1);
  t.equal(b.engine.status().epochCommitted, epoch, 'the backup was not asked for it');
  a.held.release('fdatasync', METADATA);
  await world.run(() => asked !== undefined);
  t.equal(asked, epoch + 1);
  t.equal(b.engine.status().epochCommitted, epoch + 1);
  await a.write(8, 8, 3);
  await world.run(0.1);
  a.held.hold('fdatasync', METADATA);
  t.equal(await a.checkpoint(), epoch + 2, 'which it is from its first write on');
  a.held.release('fdatasync', METADATA);
});

t.test('a number that was made durable is no checkpoint', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  const epoch = await a.checkpoint();
  t.ok(epoch > 0);
  await a.write(8, 8, 2);
  await world.run(0.1);
  t.equal(a.engine.status().epochSent, epoch, 'the open checkpoint was not sent');
  const { generation } = a.engine.status();
  b.host.crash('reset');
  await a.until('unprotected');
  await a.write(16, 8, 3);
  t.not(a.engine.status().generation, generation, 'alone it goes on in a new generation');
  b.host.restart();
  await a.until('protected');
  t.ok((await a.checkpoint()) > epoch);
  t.ok((await a.read()).equals(await b.read()));
  await a.write(8, 8, 4);
  await world.run(0.1);
  a.host.files.losePower(NOTHING_SURVIVES);
  a.host.crash('reset');
  a.host.restart();
  await a.until('protected');
  t.ok((await a.checkpoint()) > epoch + 1, 'a number that may have been sent is not used again');
  t.ok((await a.read()).equals(await b.read()));
});

t.test('only the first write waits until the new generation is durable', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  const { generation } = a.engine.status();
  b.host.crash('reset');
  await a.until('unprotected');
  t.equal(a.engine.status().generation, generation, 'without a write nothing has diverged');
  a.held.hold('fdatasync', METADATA);
  let result: number | undefined;
  a.engine.write(8, new Uint8Array(4096).fill(2), (ended) => (result = ended));
  await world.run(1);
  t.equal(result, undefined);
  t.equal(onImage(a, 8), 1, 'and is not on the image before');
  a.held.release('fdatasync', METADATA);
  await world.run(() => result !== undefined);
  t.equal(result, 0);
  t.not(a.engine.status().generation, generation);
  const [mine, parent] = a.engine.standing().line;
  t.equal(mine?.generation, a.engine.status().generation);
  t.equal(parent?.generation, generation);
  t.equal(parent?.high, a.engine.status().epochSent, 'the parent knows what may have been sent');
});

t.test('a write waits until its bits are durable, and so does a later one of the same grains', async (t) => {
  const { a, world } = pair(t);
  await a.until('protected');
  a.held.hold('fdatasync', MAP);
  const results: number[] = [];
  for (const sector of [0, 16]) {
    a.engine.write(sector, new Uint8Array(4096).fill(7), (ended) => results.push(ended));
    await world.run(0.5);
  }
  t.same(results, []);
  t.same([onImage(a, 0), onImage(a, 16)], [0, 0]);
  a.held.release('fdatasync', MAP);
  await world.run(() => results.length === 2);
  t.same(results, [0, 0]);
  a.held.hold('fdatasync', MAP);
  t.equal(await a.write(32, 8, 8), 0, 'one whose bits are durable waits for nothing');
});

t.test('a cleared bit is made durable again before the next write of its grain', async (t) => {
  const { a, world } = pair(t, { a: { hotGrains: 1 } });
  await a.until('protected');
  await a.write(0, 8, 1);
  await a.write(20 * GRAIN_SECTORS, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  // The bits of what is not hot fall when both sides have it, in memory first.
  await world.run(15);
  a.held.hold('fdatasync', MAP);
  let result: number | undefined;
  a.engine.write(0, new Uint8Array(4096).fill(2), (ended) => (result = ended));
  await world.run(0.5);
  t.equal(result, undefined);
  t.equal(onImage(a, 0), 1);
  a.held.release('fdatasync', MAP);
  await world.run(() => result === 0);
});

t.test(
  'bits do not fall before the local image is synced: after a loss of power all that may differ is sent',
  async (t) => {
    const { a, b, world } = pair(t, { a: { hotGrains: 1 } });
    await a.until('protected');
    for (const grain of [1, 2, 3]) await a.write(grain * GRAIN_SECTORS, 8, 5);
    t.ok((await a.checkpoint()) > 0, 'the backup has them');
    a.held.hold('fdatasync', IMAGE);
    // Longer than it takes until bits are let fall; those that fell would go out with the next ones that rise.
    await world.run(25);
    await a.write(9 * GRAIN_SECTORS, 8, 6);
    t.ok((await a.checkpoint()) > 0);
    a.host.files.losePower(NOTHING_SURVIVES);
    a.host.crash('reset');
    a.held.release('fdatasync', IMAGE);
    a.host.restart();
    await a.until('protected');
    t.ok((await a.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()), 'what the primary has lost the backup has no more');
  },
);

t.test('bits are not cleared before the backup’s checkpoint is durable', async (t) => {
  const { a, world } = pair(t, { a: { hotGrains: 1 } });
  await a.until('protected');
  await a.write(0, 8, 1);
  await a.write(20 * GRAIN_SECTORS, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  const waits = async (byte: number): Promise<boolean> => {
    a.held.hold('fdatasync', MAP);
    let result: number | undefined;
    a.engine.write(0, new Uint8Array(4096).fill(byte), (ended) => (result = ended));
    await world.run(0.5);
    const isWaiting = result === undefined;
    a.held.release('fdatasync', MAP);
    await world.run(() => result === 0);
    return isWaiting;
  };
  a.held.hold('fdatasync', METADATA);
  await world.run(25);
  t.notOk(await waits(2), 'the bit is set');
  a.held.release('fdatasync', METADATA);
  await a.write(20 * GRAIN_SECTORS, 8, 2);
  t.ok((await a.checkpoint()) > 0);
  await world.run(25);
  t.ok(await waits(3), 'it has fallen');
});
