// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { errno } from '../../../../src/posix/errno.js';
import type { FileWorld } from '../../../testing/files/fixture.js';
import { LEAF, worldWith } from './order-world.js';
import { simulated, simulatedCalls } from './sim-disk.js';

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
