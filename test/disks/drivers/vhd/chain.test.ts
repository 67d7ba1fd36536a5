// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { errno } from '../../../../src/posix/errno.js';
import type { FileWorld } from '../../../testing/files/fixture.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { LEAF, open, tags, worldWith, write } from './order-world.js';
import { simulated, simulatedCalls, tagged } from './sim-disk.js';

const link = { sectors: 64, blockSectors: 16 };

/** Calls that count how often each descriptor is closed; the first closing of `failing` fails. */
function countedCalls(world: FileWorld, failing = Number.NaN) {
  const calls = simulatedCalls(world);
  const closed: number[] = [];
  const close = calls.files.close.bind(calls.files);
  calls.files.close = (fd, done) => {
    const isFailing = closed.push(fd) === failing;
    close(fd, (result) => done(isFailing ? -errno.EIO : result));
  };
  return { calls, closed };
}

t.test('every file of a chain is closed once, also if one of them fails', async (t) => {
  for (const failing of [1, 2, 3]) {
    const world = worldWith([link, link, link]);
    const { calls, closed } = countedCalls(world, failing);
    const disk = await simulated(world, VhdDisk.open(calls, LEAF, { readOnly: true }));
    const path = disk.chain[failing - 1]?.file.path;
    await t.rejects(simulated(world, disk.close()), { message: `${path}: cannot close: Input/output error` });
    t.same(
      closed,
      disk.chain.map(({ file }) => file.fd),
    );
    t.same(world.files.descriptors(), []);
  }
});

t.test('a child is read over a parent whose file is cut, up to what that lacks', async (t) => {
  const world = worldWith([link, link]);
  const parent = await open(world, '/d/parent0.vhd');
  await write(world, parent, 0, tagged(64, 7));
  await simulated(world, parent.close());
  const whole = world.files.contents('/d/parent0.vhd');
  world.files.put('/d/parent0.vhd', whole.slice(0, -3 * SECTOR_SIZE));
  for (const readOnly of [true, false]) {
    const disk = await open(world, LEAF, readOnly);
    t.same(await tags(world, disk, 60, 2), [7, 7]);
    t.same(await tags(world, disk, 60, 3), [-errno.EIO]);
    await simulated(world, disk.close());
  }
});

t.test('a block does not take the place of the footer at the end', async (t) => {
  const world = worldWith([link]);
  const disk = await open(world);
  await write(world, disk, 0, tagged(16, 7));
  await simulated(world, disk.close());
  const image = world.files.contents(LEAF).slice();
  const table = new DataView(image.buffer, image.byteOffset + 1536);
  // Its bitmap, of all its sectors, is where its first sector was.
  table.setUint32(0, table.getUint32(0) + 1);
  image.fill(0xff, table.getUint32(0) * SECTOR_SIZE, (table.getUint32(0) + 1) * SECTOR_SIZE);
  world.files.put(LEAF, image);
  await t.rejects(open(world), /truncated: BAT entry 0: the file ends inside of the block/);
  const reader = await open(world, LEAF, true);
  t.same(await tags(world, reader, 14, 1), [7]);
  t.same(await tags(world, reader, 15, 1), [-errno.EIO]);
});

t.test('every file of a chain that cannot be opened is closed once', async (t) => {
  for (const broken of ['/d/parent0.vhd', '/d/parent1.vhd', LEAF]) {
    const world = worldWith([link, link, link]);
    world.files.put(broken, new Uint8Array(4096));
    const { calls, closed } = countedCalls(world);
    await t.rejects(simulated(world, VhdDisk.open(calls, LEAF, { readOnly: true })), /bad-footer/);
    t.equal(new Set(closed).size, closed.length);
    t.same(world.files.descriptors(), []);
  }
});
