// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { pair, SideNode } from '../world.js';
import { BACKUP, CSide } from './c-side.js';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';

const PROBE = 'tdtsrp01creq';

t.test(
  'a primary asks in one write what the other side is, and then speaks as a C primary does',
  async (t) => {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const peer = new CSide(world, world.host(BACKUP));
    peer.listen();
    const node = new SideNode(world, '10.0.0.1', {});
    t.equal(await world.complete(node.opened), 0);
    t.equal(node.engine.status().role, 'primary', 'it does not have the address');
    t.ok(await peer.until(() => peer.accept(), 3));
    t.equal((await peer.taken(PROBE.length)).toString('latin1'), PROBE);
    await world.run(0.5);
    t.equal(peer.come.length, 0, 'nothing follows before the answer');
    await peer.send(Buffer.from('done'));
    await node.until('protected');
    t.equal(node.engine.status().peerKind, 'c');
    t.equal(await node.write(3, 2, 9), 0);
    t.ok((await peer.taken(1040)).equals(Buffer.from(writeMessages(3, 2, Buffer.alloc(1024, 9)))));
    await world.run(4);
    t.equal(peer.come.length, 0, 'no heartbeat commits what is open, and no interval that nobody asked for');
    const commit = node.checkpoint();
    await peer.send(Buffer.from('done'));
    t.ok((await commit) > 0);
    t.equal((await peer.taken(4)).toString('latin1'), 'creq');
    t.equal((await peer.taken(4, 12)).toString('latin1'), 'creq', 'the heartbeat is an empty commit');
  },
);

t.test(
  'a primary of a C backup connects with the first write; one that has something to send, at once',
  async (t) => {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const node = new SideNode(world, '10.0.0.1', { peer: 'c', role: 'primary' });
    const isOpen = async (): Promise<string> => {
      t.equal(await world.complete(node.opened), 0);
      await world.run(3);
      return node.engine.status().connection;
    };
    t.equal(await isOpen(), 'none');
    t.equal(await node.write(0, 1, 5), 0);
    t.equal(node.engine.status().connection, 'connecting');
    node.host.crash('end of file');
    node.host.restart();
    t.equal(await isOpen(), 'connecting');
  },
);

t.test(
  'once a peer was an own one, a C peer is refused, and so is the option that would take one',
  async (t) => {
    const { world, a, b } = pair(t);
    await a.until('protected');
    await a.checkpoint();
    a.host.crash('end of file');
    const stranger = new CSide(world, world.host('10.0.0.3'));
    t.equal(await stranger.connect(), 0);
    await stranger.send(writeMessages(0, 1, Buffer.alloc(512, 9)));
    await stranger.send(Buffer.from('creq'));
    t.ok(await stranger.until(() => stranger.come.length === 0 && stranger.end !== undefined));
    t.ok((await b.read(0, 1)).equals(Buffer.alloc(512)), 'nothing of it is here');
    t.equal(await b.write(0, 1, 5), -errno.EROFS, 'a write is no failover');
    a.options = { peer: 'c' };
    a.host.restart();
    t.equal(await world.complete(a.opened), -errno.EINVAL);
    a.host.crash('end of file');
    a.options = {};
    a.host.restart();
    await a.until('protected');
  },
);

t.test('a backup without a C primary is not promoted by a write', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const node = new SideNode(world, BACKUP, {});
  t.equal(await world.complete(node.opened), 0);
  const stranger = new CSide(world, world.host('10.0.0.3'));
  await stranger.connect();
  await stranger.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  stranger.close();
  await world.run(2);
  t.equal(await node.write(0, 1, 5), -errno.EROFS);
  t.equal(await stranger.connect(), 0, 'its listener is open');
});
