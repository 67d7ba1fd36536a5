// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { LAN } from '../../../src/testing/index.js';
import { pair } from './world.js';

t.test('Q3: equal sides verify as equal, even while they are being written', async (t) => {
  const { world, a } = pair(t);
  await a.until('protected');
  const stop = { now: false };
  const write = (at: number): void => {
    if (stop.now) return;
    a.engine.write(at % 4000, new Uint8Array(8 * 512).fill(at % 255), () => write(at + 37));
  };
  write(1);
  world.after(0.01, () => a.engine.checkpoint(() => {}));
  const outcome = await a.command((done) => a.engine.verify(done));
  stop.now = true;
  t.equal(outcome.result, 0, outcome.message);
  t.equal(a.engine.status().verifyDifferences, 0);
});

t.test('a difference is found, reported, and repaired by a resync of just that range', async (t) => {
  const { world, a, b } = pair(t, { a: { verifyBytesPerSecond: 0 } });
  await a.until('protected');
  await a.write(1000, 16, 1);
  await a.checkpoint();
  await world.run(1);
  b.host.files.rot('/srv/disk.img', 3000 * 512);
  const outcome = await a.command((done) => a.engine.verify(done));
  t.equal(outcome.result, -errno.EBADMSG);
  t.match(outcome.message, 'differs');
  t.equal(a.engine.status().state, 'inconsistent');
  t.ok(
    a.events.some((event) => event.kind === 'verify' && event.what === 'difference' && event.sector <= 3000),
  );
  const before = a.engine.status().resyncBytesTotal;
  t.match(await a.command((done) => a.engine.resync({}, done)), {
    result: 0,
    message: 'sends 1 grains that were found to differ',
  });
  await a.until('protected');
  t.equal(a.engine.status().resyncBytesTotal - before, 65_536);
  t.equal((await a.command((done) => a.engine.verify(done))).result, 0);
});

t.test('verification repeats on its own at the configured rate, and reports when it ended', async (t) => {
  const { world, a, b } = pair(t, { a: { verifyBytesPerSecond: 1 << 20 } });
  await a.until('protected');
  t.equal(a.engine.status().verifiedAtSeconds, null);
  b.host.files.rot('/srv/disk.img', 4000 * 512);
  await world.run(4);
  t.not(a.engine.status().verifiedAtSeconds, null);
  t.equal(a.engine.status().state, 'inconsistent');
});

t.test(
  'what the backup cannot read is reported as unreadable, not as a difference, and rewritten by a resync',
  async (t) => {
    const { world, a, b } = pair(t, { a: { verifyBytesPerSecond: 0 } });
    await a.until('protected');
    await a.write(1000, 16, 1);
    await a.checkpoint();
    await world.run(1);
    b.host.files.spoil('/srv/disk.img', 3000 * 512, 512);
    const outcome = await a.command((done) => a.engine.verify(done));
    t.equal(outcome.result, -errno.EIO);
    t.match(outcome.message, /the backup cannot read up to 128 sectors/);
    t.equal(a.engine.status().verifyDifferences, 0);
    t.equal(a.engine.status().state, 'protected', 'no difference is known');
    t.match(a.engine.status().lastError, /the backup cannot read what it has within 128 sectors at 2944/);
    t.equal((await a.command((done) => a.engine.resync({}, done))).result, 0);
    await a.until('protected');
    t.ok((await a.checkpoint()) > 0);
    await world.run(1);
    t.equal((await a.command((done) => a.engine.verify(done))).result, 0);
  },
);

for (const full of [true, false]) {
  const which = full ? 'all grains' : 'what differs';
  t.test(
    `a resync of ${which} takes the place of what was open, which is older than what it brings`,
    async (t) => {
      const { world, a, b } = pair(t, { a: { verifyBytesPerSecond: 0 } });
      await a.until('protected');
      b.host.files.rot('/srv/disk.img', 300 * 512);
      if (!full) await a.command((done) => a.engine.verify(done));
      t.equal(await a.write(261, 33, 1), 0, 'the backup has it in the open checkpoint');
      await world.run(1);
      // The resync begins slowly enough for a write before it has.
      world.link(a.host, b.host).shape({ latencySeconds: 1 });
      t.equal((await a.command((done) => a.engine.resync({ full }, done))).result, 0);
      t.equal(await a.write(250, 60, 2), 0);
      world.link(a.host, b.host).shape(LAN);
      await a.until('protected');
      t.ok((await a.checkpoint()) > 0);
      t.ok((await a.read()).equals(await b.read()));
    },
  );
}
