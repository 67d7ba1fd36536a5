// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { SideNode } from '../world.js';
import { BACKUP, CSide } from './c-side.js';

t.test('each commit of a C primary is the next epoch of one disk and one generation', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const node = new SideNode(world, BACKUP, {});
  t.equal(await world.complete(node.opened), 0);
  t.match(node.engine.status(), { diskId: null, generation: null, epochCommitted: 0 });
  const primary = new CSide(world, world.host('10.0.0.3'));
  await primary.connect();
  const commit = async (byte: number): Promise<void> => {
    await primary.send(writeMessages(8, 1, Buffer.alloc(512, byte)));
    await primary.send(Buffer.from('creq'));
    t.equal((await primary.taken(4, 5)).toString('latin1'), 'done');
  };
  await commit(1);
  const { diskId, generation, epochCommitted } = node.engine.status();
  t.match(diskId, /^(?!0{32})[0-9a-f]{32}$/);
  t.match(generation, /^(?!0{16})[0-9a-f]{16}$/);
  t.equal(epochCommitted, 1);
  await commit(2);
  t.match(node.engine.status(), { diskId, generation, epochCommitted: 2, peerKind: 'c' });
  t.equal((await node.read(8, 1))[0], 2);
});

t.test('a backup that was restarted goes on with the epoch after, in the same generation', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const node = new SideNode(world, BACKUP, { peer: 'c' });
  t.equal(await world.complete(node.opened), 0);
  for (const epoch of [1, 2]) {
    const before = node.engine.status();
    const primary = new CSide(world, world.host(`10.0.0.${epoch + 2}`));
    await primary.connect();
    await primary.send(writeMessages(8, 1, Buffer.alloc(512, epoch)));
    await primary.send(Buffer.from('creq'));
    t.equal((await primary.taken(4, 5)).toString('latin1'), 'done');
    const { diskId, generation, epochCommitted } = node.engine.status();
    t.equal(epochCommitted, epoch);
    if (epoch > 1) t.same({ diskId, generation }, { diskId: before.diskId, generation: before.generation });
    node.host.crash('end of file');
    node.host.restart();
    t.equal(await world.complete(node.opened), 0);
  }
});

t.test(
  'a backup that a C primary left before its first commit is a primary with a state once it is written',
  async (t) => {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const node = new SideNode(world, BACKUP, {});
    t.equal(await world.complete(node.opened), 0);
    const primary = new CSide(world, world.host('10.0.0.3'));
    await primary.connect();
    await primary.send(writeMessages(8, 1, Buffer.alloc(512, 1)));
    await world.run(0.1);
    primary.close();
    await world.run(0.1);
    t.equal(await node.write(16, 1, 5), 0);
    t.match(node.engine.state.metadata.current, { role: 'primary', hasState: true, inconsistent: false });
    t.same([(await node.read(8, 1))[0], (await node.read(16, 1))[0]], [0, 5]);
  },
);
