// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { pair } from './world.js';

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
  'a resync that the backup has no room for waits, says so, and goes on once there is room',
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
