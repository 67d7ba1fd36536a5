// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A resync that is interrupted halfway: what the backup has of it on stable storage does not travel again.

import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/index.js';
import { numbersBody, readExtents } from '../../../src/replication/disk/wire/frame.js';
import { SimulatedWorld } from '../../../src/testing/index.js';
import { HandPeer, standing } from './own/hand-peer.js';
import { pair, SideNode } from './world.js';

const GRAIN_SECTORS = 128;
const GRAIN_BYTES = GRAIN_SECTORS * 512;
const GRAINS = 90;
const SECTORS = GRAINS * GRAIN_SECTORS;
const WRITTEN = 3;

type Kind = 'first sync' | 'resync';
type Lost = 'connection' | 'backup' | 'primary' | 'both';

/** A primary of whose every grain the backup lacks something, over a link that is slow. */
async function begun(kind: Kind) {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const options = { verifyBytesPerSecond: 0 };
  const b = new SideNode(world, '10.0.0.2', options, { sectors: SECTORS, fill: 0 });
  const a = new SideNode(world, '10.0.0.1', options, {
    sectors: SECTORS,
    fill: kind === 'first sync' ? 5 : 0,
  });
  const link = world.link(a.host, b.host);
  if (kind === 'resync') {
    await a.until('protected');
    b.host.crash('reset');
    await a.until('unprotected');
    for (let grain = 0; grain < GRAINS; grain++) await a.write(grain * GRAIN_SECTORS, 8, 7);
    b.host.restart();
  }
  link.shape({ bytesPerSecond: 800_000 });
  return { world, a, b, link };
}

async function checkResumed(t: Test, kind: Kind, lost: Lost): Promise<void> {
  const { world, a, b, link } = await begun(kind);
  const stored = (): number => (a.isUp ? (a.engine.status().resync?.bytes ?? 0) : 0);
  await world.run(() => stored() >= (GRAINS / 3) * GRAIN_BYTES, { limitSeconds: 60 });
  const left = GRAINS * GRAIN_BYTES - stored();
  t.ok(left >= (GRAINS / 3) * GRAIN_BYTES, `${left} bytes are left`);
  if (lost === 'connection') link.cut().reset();
  if (lost !== 'connection' && lost !== 'primary') b.host.crash('reset');
  if (lost === 'primary' || lost === 'both') {
    a.host.crash('reset');
    a.host.restart();
    await world.run(() => a.isUp);
  } else await a.until('unprotected');
  // A primary that was restarted counts anew.
  const sent = a.engine.status().resyncBytesTotal;
  for (let grain = 0; grain < WRITTEN; grain++) t.equal(await a.write(grain * GRAIN_SECTORS, 8, 9), 0);
  link.heal();
  if (!b.host.isAlive) b.host.restart();
  await a.until('protected');
  const again = a.engine.status().resyncBytesTotal - sent;
  t.ok(again > 0 && again <= left + WRITTEN * GRAIN_BYTES, `${again} bytes travel again, ${left} were left`);
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read(0, SECTORS)).equals(await b.read(0, SECTORS)));
  await world.run(3);
  const open = b.host.files.descriptors().map(({ path }) => path);
  t.notMatch(open.join(), /resync|received/, 'nothing of it is kept');
}

for (const kind of ['first sync', 'resync'] as const) {
  for (const lost of ['connection', 'backup', 'primary', 'both'] as const) {
    t.test(`a ${kind} goes on where it was after the loss of the ${lost}`, (t) =>
      checkResumed(t, kind, lost),
    );
  }
}

for (const isLost of [false, true]) {
  const when = isLost ? ', with a connection lost before the backup has reported what is in it' : '';
  t.test(`the file of an old resync that was not removed takes nothing back${when}`, async (t) => {
    const { a, b, world } = pair(t, { a: { hotGrains: 1 } });
    const link = world.link(a.host, b.host);
    await a.until('protected');
    link.cut().reset();
    await a.until('unprotected');
    for (let grain = 0; grain < 16; grain++) await a.write(grain * GRAIN_SECTORS, 8, 7);
    const fault = b.host.files.failCalls({ calls: ['unlink'], nth: 3, error: errno.EIO });
    link.heal();
    await a.until('protected');
    await world.run(() => fault.failed === 1);
    for (let grain = 0; grain < 16; grain++) await a.write(grain * GRAIN_SECTORS, 8, 8);
    t.ok((await a.checkpoint()) > 0);
    // By then the bits have fallen.
    await world.run(25);
    t.ok((await a.checkpoint()) > 0);
    b.host.crash('reset');
    await a.until('unprotected');
    b.host.restart();
    if (isLost) {
      await b.until('backup');
      b.host.files.stall(3);
      await a.until('catching-up');
      link.reset();
    }
    await a.until('protected');
    t.ok((await a.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()));
  });
}

t.test('what the backup has lost of a resync is sent again, and only that', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  world.host('10.0.0.2');
  const a = new SideNode(world, '10.0.0.1', { verifyBytesPerSecond: 0 }, { sectors: SECTORS, fill: 5 });
  await world.complete(a.opened);
  const accept = async (more = {}, received: number[] = []): Promise<HandPeer> => {
    const peer = await HandPeer.accept(world);
    peer.received = received;
    peer.raw(Buffer.from('rp01'));
    peer.hello(standing('backup', { sectors: SECTORS, ...more }));
    await peer.next('hello');
    return peer;
  };
  const grainsOf = ({ frames }: HandPeer): number[] =>
    frames
      .flatMap(({ name, body }) => (name === 'syncData' ? readExtents(body, SECTORS) : []))
      .flatMap(({ sector, sectors }) =>
        Array.from({ length: sectors / GRAIN_SECTORS }, (_, at) => sector / GRAIN_SECTORS + at),
      )
      .sort((one, other) => one - other);
  const first = await accept();
  const resyncId = (await first.next('syncBegin')).body.toString('hex', 0, 8);
  await world.run(() => grainsOf(first).length >= 8);
  first.pause();
  const had = grainsOf(first);
  first.send('progress', numbersBody(first.frames.at(-1)?.sequence ?? 0));
  await world.run(1);
  first.close();
  await a.until('unprotected');
  const [lost, ...kept] = had;
  const ranges = kept.flatMap((grain) => [grain, 1]);
  const again = await accept({ diskId: a.engine.status().diskId, resyncId }, ranges);
  await again.next('commit');
  const all = Array.from({ length: GRAINS }, (_, grain) => grain);
  t.same(
    grainsOf(again),
    all.filter((grain) => grain === lost || !kept.includes(grain)),
  );
  t.equal(
    again.frames.filter(({ name }) => name === 'compare').length,
    0,
    'nor is it asked about what it has',
  );
});
