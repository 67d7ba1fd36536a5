// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A write at the backup of a C primary: the guest is here now.

import t, { type Test } from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { DIRECTORY, type NodeOptions, pair, SideNode } from '../world.js';
import { BACKUP, CSide } from './c-side.js';

const METADATA = `${DIRECTORY}/metadata`;

/** A backup that has a checkpoint of a C primary, which is connected. */
async function backupOfC(t: Test, options: NodeOptions = {}) {
  const world = new SimulatedWorld({ seed: 1 });
  const side = new SideNode(world, BACKUP, options);
  t.equal(await world.complete(side.opened), 0);
  const peer = new CSide(world, world.host('10.0.0.3'));
  await peer.connect();
  await peer.send(writeMessages(8, 1, Buffer.alloc(512, 1)));
  await peer.send(Buffer.from('creq'));
  t.equal((await peer.taken(4)).toString('latin1'), 'done');
  return { world, side, peer };
}

t.test('the first write while the primary is connected ends that, and is to be tried again', async (t) => {
  const { world, side, peer } = await backupOfC(t);
  t.equal(await side.write(16, 1, 5), -errno.EBUSY);
  await world.run(0.1);
  t.equal((await peer.taken(1), peer.end), 'end of stream');
  t.match(side.engine.status(), {
    role: 'primary',
    connection: 'none',
    lastError: /the C primary is gone and will not be accepted again: this side was written to/,
  });
  t.equal(await side.write(16, 1, 5), 0);
  t.same([(await side.read(8, 1))[0], (await side.read(16, 1))[0]], [1, 5]);
  await world.run(3);
  t.equal(await peer.connect(), -errno.ECONNREFUSED);
});

t.test(
  'so is one after the primary has gone in the middle of a message, but not one after a whole one',
  async (t) => {
    for (const isWhole of [true, false]) {
      const { world, side, peer } = await backupOfC(t);
      const message = Buffer.from(writeMessages(8, 1, Buffer.alloc(512, 2)));
      await peer.send(isWhole ? message : message.subarray(0, 100));
      peer.close();
      await world.run(0.1);
      t.equal(await side.write(16, 1, 5), isWhole ? 0 : -errno.EBUSY);
      await world.run(0.1);
      t.equal(side.engine.status().role, 'primary');
      t.equal((await side.read(8, 1))[0], 1, 'what was not committed is not there');
    }
  },
);

t.test('those that come until this side is the primary wait for that, in their order', async (t) => {
  const { world, side } = await backupOfC(t);
  await world.run(1);
  side.held.hold('fdatasync', METADATA);
  const ended: [string, number][] = [];
  const zeroes = (done: (result: number) => void): void => side.engine.zero(16, 1, done);
  const write = (byte: number) => (done: (result: number) => void) =>
    side.engine.write(16, new Uint8Array(512).fill(byte), done);
  for (const [name, start] of Object.entries({
    first: write(3),
    second: write(4),
    third: zeroes,
    last: write(6),
  }))
    start((result) => ended.push([name, result]));
  t.same(ended, [['first', -errno.EBUSY]]);
  await world.run(1);
  t.equal(ended.length, 1);
  t.equal(side.engine.status().role, 'backup');
  side.held.release('fdatasync', METADATA);
  await world.run(() => ended.length === 4);
  t.same(ended.slice(1), [
    ['second', 0],
    ['third', 0],
    ['last', 0],
  ]);
  t.equal((await side.read(16, 1))[0], 6);
  const states = side.events.filter((event) => event.kind === 'state').map((event) => event.to);
  t.same(states.slice(-1), ['unprotected'], 'it was promoted once');
  t.equal(side.events.filter((event) => event.kind === 'state' && event.reason === 'promoted').length, 1);
});

t.test('a side that became a backup again after that is promoted by the next write', async (t) => {
  const { world, side } = await backupOfC(t);
  for (const round of ['first', 'second']) {
    t.equal(await side.write(16, 1, 5), -errno.EBUSY, round);
    await world.run(0.1);
    t.equal(side.engine.status().role, 'primary', round);
    if (round === 'second') continue;
    t.match(await side.command((done) => side.engine.rejoin({}, done)), { result: 0 });
  }
});

t.test('if that cannot be recorded they are to be tried again, and then fail', async (t) => {
  const { world, side } = await backupOfC(t);
  await world.run(1);
  side.held.hold('fdatasync', METADATA);
  t.equal(await side.write(16, 1, 5), -errno.EBUSY);
  let result: number | undefined;
  side.engine.write(16, new Uint8Array(512), (ended) => (result = ended));
  await world.run(0.1);
  side.host.files.failCalls({ calls: ['write', 'fdatasync'], nth: 1, error: errno.EIO });
  side.held.release('fdatasync', METADATA);
  await world.run(() => result !== undefined);
  t.equal(result, -errno.EBUSY);
  t.equal(side.engine.status().state, 'failed');
  t.equal(await side.write(16, 1, 5), -errno.EIO);
});

t.test('a backup that no C primary is expected for is not promoted by a write', async (t) => {
  const { side, world } = await backupOfC(t);
  side.host.crash('end of file');
  side.options = { peer: 'own' };
  side.host.restart();
  await world.run(() => side.isUp);
  t.equal(await side.write(16, 1, 5), -errno.EROFS);
  t.equal(side.engine.status().role, 'backup');
  side.host.crash('end of file');
  side.options = {};
  side.host.restart();
  await world.run(() => side.isUp);
  t.equal(await side.write(16, 1, 5), -errno.EBUSY, 'what it had from one says that one is');
});

for (const change of [{ rejoining: true }, { resyncId: '00000000000000bb' }]) {
  const [what = ''] = Object.keys(change);
  t.test(`a backup that another side's disk is being sent to takes no write (${what})`, async (t) => {
    const { side } = await backupOfC(t);
    t.equal(await side.call((done) => side.engine.state.metadata.update(change, done)), 0);
    t.equal(await side.write(16, 1, 5), -errno.EROFS);
    t.equal(side.engine.status().role, 'backup');
  });
}

t.test('one of which that is said is promoted though nothing has come', async (t) => {
  const world = new SimulatedWorld({ seed: 1 });
  const side = new SideNode(world, BACKUP, { peer: 'c' });
  t.equal(await world.complete(side.opened), 0);
  t.equal(await side.call((done) => side.engine.zero(16, 1, done)), -errno.EBUSY);
  await world.run(0.1);
  t.equal(await side.write(16, 1, 5), 0);
  t.match(side.engine.state.metadata.current, { role: 'primary', hasState: true, inconsistent: false });
  t.equal((await side.read(16, 1))[0], 5);
});

t.test('a side that rejoins an own primary takes no write', async (t) => {
  const { world, a, b } = pair(t);
  await a.until('protected');
  a.host.crash('silence');
  await world.run(8);
  await b.command((done) => b.engine.promote({}, done));
  await b.write(8, 8, 2);
  a.host.restart();
  await a.until('stale');
  world.partition(a.host);
  await a.command((done) => a.engine.rejoin({}, done));
  t.equal(a.engine.status().role, 'backup');
  t.equal(await a.write(8, 8, 3), -errno.EROFS);
  t.equal(a.engine.status().role, 'backup');
});
