// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What a backup keeps of a resync that its primary has not committed.

import t from 'tap';
import { numbersBody } from '../../../../src/replication/disk/wire/frame.js';
import { PROBE } from '../../../../src/replication/disk/wire/probe.js';
import { HandPeer, standing } from '../own/hand-peer.js';
import { called } from '../own/one-side.js';
import { DIRECTORY, IMAGE, SECTORS, type SideNode } from '../world.js';

const GRAIN = 128;
const ID = '1'.repeat(16);

/** Begins the first sync of this id on a connection, and sends a grain of it. */
async function syncFirst(peer: HandPeer, id = ID): Promise<void> {
  peer.raw(PROBE);
  peer.hello(standing('primary'));
  await peer.next('hello');
  peer.send('syncBegin', Buffer.from(id, 'hex'), numbersBody(SECTORS / GRAIN, GRAIN, 1));
  peer.extents('syncData', { sector: 0, sectors: GRAIN, data: Buffer.alloc(GRAIN * 512, 5) });
}

const hasFile = ({ host }: SideNode, name: string): boolean => {
  try {
    host.files.contents(`${DIRECTORY}/${name}`);
    return true;
  } catch {
    return false;
  }
};

t.test('a disk is closed once what was received of a first sync is written', async (t) => {
  const { world, backup, peer } = await called();
  backup.held.hold('write', IMAGE);
  await syncFirst(peer);
  await world.run(() => backup.held.waiting('write', IMAGE) > 0);
  let result: number | undefined;
  backup.engine.close((ended) => (result = ended));
  await world.run(1);
  t.equal(result, undefined);
  backup.held.release('write', IMAGE);
  await world.run(() => result !== undefined);
  t.equal(result, 0);
  t.equal(backup.image()[0], 5);
});

t.test('what there is of a first sync is known after a restart, and given up for another one', async (t) => {
  const { world, backup, peer } = await called();
  await syncFirst(peer);
  await peer.next('progress');
  t.equal(backup.engine.backup?.resyncId, ID);
  t.equal(backup.engine.state.metadata.current.inconsistent, true);
  backup.host.crash('end of file');
  await world.run(0.1);
  backup.host.restart();
  await world.run(() => backup.isUp);
  t.equal(backup.engine.backup?.resyncId, ID);
  t.equal(backup.engine.standing().resyncId, ID);
  t.ok(hasFile(backup, 'received'));
  const again = await HandPeer.connect(world, '10.0.0.67');
  await syncFirst(again);
  const { body } = await again.next('map');
  t.ok(body.equals(numbersBody(0, 1)), 'the grain that it has');
  again.close();
  await world.run(0.1);
  const other = await HandPeer.connect(world, '10.0.0.68');
  await syncFirst(other, '2'.repeat(16));
  t.equal((await other.next('map')).body.length, 0, 'it has nothing of this one');
  t.equal(backup.engine.backup?.resyncId, '2'.repeat(16));
});

t.test('a map of a first sync that is damaged in whole is reported, and the sync begins anew', async (t) => {
  const { world, backup, peer } = await called();
  await syncFirst(peer);
  await peer.next('progress');
  backup.host.crash('end of file');
  backup.host.files.put(`${DIRECTORY}/received`, new Uint8Array(3));
  backup.host.restart();
  await world.run(() => backup.isUp);
  const again = await HandPeer.connect(world, '10.0.0.67');
  await syncFirst(again);
  await again.next('map');
  await again.next('progress');
  t.equal(again.end, undefined);
});
