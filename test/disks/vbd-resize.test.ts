// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import type { DiskDriverType, DoneWithReason } from '../../src/disks/index.js';
import { DEFAULT_MAX_IN_FLIGHT } from '../../src/disks/registry.js';
import { bench, READ_WRITE } from './bench.js';

/** A VBD whose driver has its sizes from the test. */
async function sized(t: Test) {
  const disk = { sectors: 100, resizing: [] as DoneWithReason[] };
  const type: DiskDriverType = {
    name: 'sized',
    create: () => ({
      open: (_flags, done) => done(0),
      info: () => ({ sectors: disk.sectors, sectorSize: 512, info: 0 }),
      resize: (done) => void disk.resizing.push(done),
      close: (done) => done(0),
      queueRead: (request) => request.complete(0),
      queueWrite: (request) => request.complete(0),
      flush: (done) => done(0),
    }),
  };
  const world = bench(t, { types: [type] });
  world.registry.attach(3);
  await world.registry.open(3, 'sized:', READ_WRITE);
  const vbd = world.registry.get(3)!;
  return { ...world, vbd, disk };
}

t.test('a running disk takes the size that its driver finds', async (t) => {
  const { registry, vbd, disk, lines } = await sized(t);
  const resized = registry.resize(3);
  disk.sectors = 200;
  t.equal(vbd.info.sectors, 100, 'not before the driver is done');
  disk.resizing.shift()?.(0);
  t.equal((await resized).sectors, 200);
  t.equal(vbd.info.sectors, 200);
  t.equal(lines.at(-1), 'vbd 3: has 200 sectors now');
});

t.test('a resize that fails leaves the size, and has the reason of the driver', async (t) => {
  const { vbd, disk } = await sized(t);
  const resized = vbd.resize();
  disk.sectors = 50;
  disk.resizing.shift()?.(-22, 'it has become smaller');
  await t.rejects(resized, { code: 'EINVAL', message: /it has become smaller/ });
  t.equal(vbd.info.sectors, 100);
  const huge = vbd.resize();
  disk.sectors = 2 ** 44;
  disk.resizing.shift()?.(0);
  await t.rejects(huge, { code: 'EFBIG', message: /expected at most 17592186044415 \(8 PiB\)/ });
  t.equal(vbd.info.sectors, 100);
});

t.test('only a running disk is resized, and one that is closed or paused meanwhile is not', async (t) => {
  const { vbd, disk } = await sized(t);
  const waiting = vbd.resize();
  await vbd.pause();
  disk.sectors = 200;
  disk.resizing.shift()?.(0);
  await t.rejects(waiting, /ESHUTDOWN|108/);
  t.equal(vbd.info.sectors, 100);
  await t.rejects(vbd.resize(), {
    code: 'EINVAL',
    message: /minor 3 is paused: only a running one can be resized/,
  });
  await vbd.resume('sized:again');
  t.equal(vbd.info.sectors, 200, 'the next opening finds it');
  const other = vbd.resize();
  await vbd.pause();
  await vbd.resume('sized:');
  disk.resizing.shift()?.(0);
  await t.rejects(other, /ESHUTDOWN|108/);
  await vbd.close();
  await t.rejects(vbd.resize(), { code: 'EINVAL', message: /minor 3 is closed/ });
});

t.test('a driver that cannot resize is named', async (t) => {
  const { registry, opened } = bench(t);
  opened();
  await t.rejects(registry.resize(0), {
    code: 'ENOTSUP',
    message: /the driver of scripted:disk cannot resize a disk in use/,
  });
});

t.test('a driver has 128 requests at once unless said otherwise', async (t) => {
  t.equal(DEFAULT_MAX_IN_FLIGHT, 128);
  const { opened, disks } = bench(t);
  const vbd = opened();
  for (let count = 0; count < 200; count++) vbd.queueRead(0, Buffer.alloc(512), () => {});
  t.equal(disks.calls.length, 128);
  t.match(vbd.statistics(), { inFlight: 128, waiting: 72 });
});
