// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { LEAF, open, tags, worldWith, write } from './order-world.js';
import { simulated, tagged } from './sim-disk.js';

t.test(
  'a block whose file ends after its bitmap shows the parent’s sectors, and none of its own',
  async (t) => {
    const link = { sectors: 64, blockSectors: 16 };
    const world = worldWith([link, link]);
    for (const [path, sector, sectors, tag] of [
      ['/d/parent0.vhd', 16, 16, 7],
      [LEAF, 18, 2, 8],
    ] as const) {
      const disk = await open(world, path);
      await write(world, disk, sector, tagged(sectors, tag));
      await simulated(world, disk.close());
    }
    const whole = world.files.contents(LEAF).slice();
    const place = new DataView(whole.buffer, whole.byteOffset).getUint32(1536 + 4);
    for (const [length, expected] of [
      [(place + 1) * SECTOR_SIZE, [7, 7]],
      // A part of a bitmap says nothing, not even of the sectors whose bits are there.
      [(place + 1) * SECTOR_SIZE - 1, [-errno.EIO]],
    ] as const) {
      world.files.put(LEAF, whole.subarray(0, length));
      const disk = await open(world, LEAF, true);
      t.same(await tags(world, disk, 16, 2), expected);
      t.same(await tags(world, disk, 18, 1), [-errno.EIO]);
      t.same(await tags(world, disk, 15, 1), [0], 'other blocks are read');
      await simulated(world, disk.close());
    }
  },
);
