// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { DIRECTORY, pair } from './world.js';

t.test('a resync that begins while an earlier one waits to begin replaces it', async (t) => {
  const { a, b, world } = pair(t);
  const link = world.link(a.host, b.host);
  await a.until('protected');
  link.cut().reset();
  await a.until('unprotected');
  for (let grain = 0; grain < 32; grain++) await a.write(grain * 128, 8, grain + 1);
  // The backup is asked to begin, and again on the next connection, while its files do nothing.
  b.host.files.stall(6);
  link.heal();
  await world.run(3);
  link.reset();
  await a.until('protected');
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()));
  const open = b.host.files.descriptors().filter(({ path }) => path.endsWith('/resync'));
  t.ok(open.length <= 1, 'no file of a resync that was given up is open');
  t.equal(await b.call((done) => b.engine.close(done)), 0);
  t.same(
    b.host.files.descriptors().map(({ path }) => path),
    ['/srv/disk.img'],
    'the image is its caller’s',
  );
});

t.test(
  'a resync that the backup has no room for waits, which the status shows, and goes on once there is room',
  async (t) => {
    const { a, b, world } = pair(t);
    const link = world.link(a.host, b.host);
    await a.until('protected');
    link.cut().reset();
    await a.until('unprotected');
    for (let grain = 0; grain < 32; grain++) await a.write(grain * 128, 8, grain + 1);
    const { system } = b.host.files;
    const capacity = system.capacityBytes;
    system.capacityBytes = 0;
    link.heal();
    await world.run(() => a.engine.status().resync?.waitingFor === 'room at the backup', {
      limitSeconds: 90,
    });
    t.match(a.engine.status(), { state: 'unprotected', resync: { bytes: 0, totalBytes: 32 * 65_536 } });
    t.equal(b.engine.status().state, 'backup', 'usable at its last checkpoint');
    system.capacityBytes = capacity;
    await a.until('protected', 120);
    t.equal(a.engine.status().resync, null);
  },
);

t.test('a checkpoint after that of a resync is not committed before it', async (t) => {
  const { a, b, world } = pair(t);
  const link = world.link(a.host, b.host);
  const resync = `${DIRECTORY}/resync`;
  await a.until('protected');
  link.cut().reset();
  await a.until('unprotected');
  for (let grain = 0; grain < 32; grain++) await a.write(grain * 128, 8, grain + 1);
  const epoch = b.engine.status().epochCommitted;
  b.held.hold('fdatasync', resync);
  link.heal();
  await world.run(() => a.engine.status().epochSent > epoch);
  let result: number | undefined;
  a.engine.write(0, new Uint8Array(4096).fill(99), () => {});
  a.engine.checkpoint((ended) => (result = ended));
  await world.run(3);
  t.equal(result, undefined);
  t.equal(b.engine.status().epochCommitted, epoch);
  b.held.release('fdatasync', resync);
  await world.run(() => result !== undefined);
  t.ok((result ?? 0) > epoch + 1, 'the checkpoint after that of the resync');
  t.ok((await a.read()).equals(await b.read()));
});

t.test(
  'what the backup has of a resync entirely is a part of its checkpoint on the next connection',
  async (t) => {
    const { a, b, world } = pair(t);
    const link = world.link(a.host, b.host);
    await a.until('protected');
    // Twice within a minute the journal has no room for the open checkpoint: until the minute is over, writes are only copied.
    for (let round = 1; round <= 8; round++) {
      for (const sector of [0, 2048]) await a.write(sector, 2048, round);
      await world.run(1);
    }
    await world.run(5);
    t.match(a.engine.status(), { state: 'catching-up', queuedBytes: 0 });
    const { bytes, totalBytes } = a.engine.status().resync ?? { bytes: 0, totalBytes: 1 };
    t.equal(bytes, totalBytes, 'all of it is at the backup');
    link.cut().reset();
    await a.until('unprotected');
    link.heal();
    await a.until('protected', 120);
    t.ok((await a.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()));
  },
);
