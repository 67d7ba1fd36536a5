// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What two sides report to each other before anything else: one is an engine, the other's frames are written by hand.

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { describeRefusal } from '../../../../src/replication/disk/own/handshake.js';
import { encodeReason } from '../../../../src/replication/disk/own/reason.js';
import type { Standing } from '../../../../src/replication/disk/standing.js';
import { numbersBody } from '../../../../src/replication/disk/wire/frame.js';
import { PROBE } from '../../../../src/replication/disk/wire/probe.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { SECTORS, SideNode } from '../world.js';
import { HandPeer, PEER_ADDRESS, standing } from './hand-peer.js';
import { called, calling, reasonOf } from './one-side.js';

t.test('a decision against replication is described in words', async (t) => {
  t.match(describeRefusal({ kind: 'stale', stale: 'mine' }), /stale/);
  t.match(describeRefusal({ kind: 'split-brain' }), /both sides have changes/);
  t.equal(describeRefusal({ kind: 'refuse', why: 'another disk' }), 'another disk');
  t.equal(describeRefusal({ kind: 'resync' }), 'resync');
});

for (const [more, why] of [
  [{ sectors: 8192 }, 'another size'],
  [{ role: 'backup' }, 'both sides are backups: promote one of them'],
] as const satisfies readonly (readonly [Partial<Standing>, string])[]) {
  t.test(`a side that is refused (${why}) hears why, and the connection ends`, async (t) => {
    const { world, backup, peer } = await called();
    peer.raw(PROBE);
    peer.hello(standing('primary', more));
    t.match(await peer.reason('refused'), { code: 'refuse', reason: why });
    await peer.over();
    t.equal(reasonOf(backup), why);
    t.match(backup.engine.status(), {
      peerAddress: null,
      connection: 'listening',
      lastError: new RegExp(why),
    });
    const next = await HandPeer.connect(world);
    next.raw(PROBE);
    next.hello(standing('primary'));
    await next.next('hello');
    await world.run(0.1);
    t.equal(backup.engine.status().peerKind, 'own', 'another one is taken');
  });
}

t.test('what comes first has to be a hello', async (t) => {
  const { backup, peer } = await called();
  peer.raw(PROBE);
  peer.send('abort');
  await peer.over();
  t.match(reasonOf(backup), /received abort, expected hello/);
});

t.test('a primary that its backup sends busy or refused knows the reason', async (t) => {
  for (const name of ['busy', 'refused'] as const) {
    const { primary, peer } = await calling();
    peer.send(name, encodeReason('busy', 'not now'));
    await peer.over();
    t.equal(reasonOf(primary), 'the peer ends the connection: not now');
  }
});

t.test('after a refusal that needs an operator the next attempt is ten seconds later', async (t) => {
  const { world, primary, peer } = await calling();
  peer.hello(standing('backup', { sectors: 8192 }));
  await peer.reason('refused');
  const since = world.nowSeconds;
  t.match(primary.engine.status().lastError, /another size/);
  await HandPeer.accept(world);
  t.ok(world.nowSeconds - since > 8);
  t.ok(world.nowSeconds - since < 12);
});

t.test('after a loss the next attempt is a second later', async (t) => {
  const { world, peer } = await calling();
  const since = world.nowSeconds;
  peer.close();
  await HandPeer.accept(world);
  t.ok(world.nowSeconds - since < 3);
});

/** The primary of a disk, and the standing of a backup that was its primary, and gave its changes up. */
async function rejoined() {
  const { world, primary, peer } = await calling();
  const { diskId, generation } = primary.engine.status();
  const line = [{ generation: generation ?? '', low: 0, high: 0 }];
  peer.hello(standing('backup', { diskId, hasState: true, takesFirstSync: false, rejoining: true, line }));
  return { world, primary, peer };
}

t.test('a backup that rejoins sends its map, and gets what that says', async (t) => {
  const { world, primary, peer } = await rejoined();
  await world.run(1);
  t.equal(primary.engine.status().state, 'unprotected', 'it waits for the end of the map');
  peer.numbers('map', 1, 2);
  peer.numbers('map', 7, 1, 31, 1);
  peer.send('map');
  const begin = await peer.next('syncBegin');
  t.equal(Number(begin.body.readBigUInt64LE(8)), 4);
  await peer.next('commit');
  const sent = peer.frames.filter(({ name }) => name === 'syncData');
  const sectors = sent.map(({ body }) => body.readUInt32LE(8)).sort((one, other) => one - other);
  t.same(sectors, [128, 7 * 128, 31 * 128]);
});

t.test('its map has to fit the disk', async (t) => {
  const { primary, peer } = await rejoined();
  peer.send('map', numbersBody(SECTORS / 128, 1));
  await peer.over();
  t.match(reasonOf(primary), /1 grains at 32 are not within 32/);
});

t.test('and nothing comes before its end', async (t) => {
  const { primary, peer } = await rejoined();
  peer.numbers('done', 1);
  await peer.over();
  t.match(reasonOf(primary), /received done, expected map/);
});

t.test('a side that says nothing after the probe is given up after the peer timeout', async (t) => {
  const { world, backup, peer } = await called();
  peer.raw(PROBE);
  const since = world.nowSeconds;
  await peer.over();
  t.ok(world.nowSeconds - since >= 4.9, `${world.nowSeconds - since} s`);
  t.ok(world.nowSeconds - since < 6);
  t.equal(reasonOf(backup), 'the peer does not complete the handshake');
});

t.test('one that stops within a tag, after the time for a message', async (t) => {
  const { world, backup, peer } = await called();
  await world.run(20);
  t.equal(peer.end, undefined, 'a C primary may say nothing for as long as it takes');
  peer.raw(Buffer.from('td'));
  const since = world.nowSeconds;
  await peer.over();
  t.ok(world.nowSeconds - since < 1.5);
  t.equal(reasonOf(backup), 'the peer does not complete the handshake');
});

t.test('a listening side that sends only pings does not hold the place for ever', async (t) => {
  const { world, primary, peer } = await calling();
  for (let count = 0; count < 10 && peer.end === undefined; count++) {
    peer.send('ping');
    await world.run(1);
  }
  t.not(peer.end, undefined);
  t.equal(reasonOf(primary), 'the peer does not complete the handshake');
});

t.test(
  'the side that connects gives the other one no more than the peer timeout for all of it',
  async (t) => {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    world.host(PEER_ADDRESS);
    const primary = new SideNode(world, '10.0.0.1', {});
    await world.complete(primary.opened);
    const peer = await HandPeer.accept(world);
    const since = world.nowSeconds;
    await world.run(4);
    peer.raw(Buffer.from('rp01'));
    await world.run(0.5);
    t.equal(peer.end, undefined);
    await peer.over();
    t.ok(world.nowSeconds - since < 6, `${world.nowSeconds - since} s`);
    t.equal(reasonOf(primary), 'the peer does not complete the handshake');
  },
);

t.test('a backup that cannot write down whose disk it gets takes nothing of it', async (t) => {
  const { world, backup, peer } = await called();
  peer.raw(PROBE);
  await world.run(0.1);
  backup.host.files.failCalls({ calls: ['fdatasync'], nth: 1, error: errno.EIO });
  peer.hello(standing('primary'));
  await peer.next('hello');
  await peer.over();
  t.match(backup.engine.status(), { state: 'failed', lastError: /write the metadata: EIO|metadata.*EIO/ });
});

t.test('a second connection hears that there is one already, and then ends', async (t) => {
  const { world, backup, peer } = await called();
  peer.raw(PROBE);
  peer.hello(standing('primary'));
  await peer.next('hello');
  const second = await HandPeer.connect(world, '10.0.0.67');
  second.raw(PROBE);
  t.match(await second.reason('busy'), { code: 'busy', reason: 'there is a connection already' });
  await second.over();
  const silent = await HandPeer.connect(world, '10.0.0.68');
  const since = world.nowSeconds;
  await silent.over();
  t.ok(world.nowSeconds - since < 1.5, 'one that does not say what it is ends too');
  t.equal(
    backup.engine.status().peerAddress,
    '10.0.0.66:' + backup.engine.status().peerAddress?.split(':')[1],
  );
});

t.test('no more than eight are rejected with a reason at a time', async (t) => {
  const { world, peer } = await called();
  peer.raw(PROBE);
  peer.hello(standing('primary'));
  await peer.next('hello');
  const many: HandPeer[] = [];
  for (let count = 0; count < 10; count++) many.push(await HandPeer.connect(world, `10.0.1.${count + 1}`));
  await world.run(0.1);
  t.equal(many.filter(({ end }) => end !== undefined).length, 2);
  await world.run(2);
  t.equal(many.filter(({ end }) => end !== undefined).length, 10);
  const next = await HandPeer.connect(world, '10.0.1.50');
  next.raw(PROBE);
  t.match(await next.reason('busy'), { code: 'busy' }, 'and room is made by those that end');
});

t.test('a disk that is closed ends connections at any step of their beginning', async (t) => {
  for (const steps of [[], ['probe'], ['probe', 'hello']] as const) {
    const { world, backup, peer } = await called();
    for (const step of steps) {
      if (step === 'probe') peer.raw(PROBE);
      else peer.hello(standing('primary'));
      await world.run(0.1);
    }
    const extra = await HandPeer.connect(world, '10.0.0.67');
    await world.run(0.1);
    t.equal(await backup.call((done) => backup.engine.close(done)), 0);
    await world.run(0.2);
    t.not(peer.end, undefined, `after ${steps.length} steps`);
    t.not(extra.end, undefined, 'and those that are being rejected');
    t.same(
      backup.host.leftovers().filter((line) => /connection|timer/.test(line)),
      [],
    );
  }
});
