// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import t from 'tap';
import { openDisks } from '../../src/daemon/open-disks.js';
import { diskWorld } from '../disks/drivers/disk-world.js';

t.test('disks are opened in order, and two of them cannot write to one image', async (t) => {
  const world = diskWorld(t);
  const image = world.path('image');
  writeFileSync(image, Buffer.alloc(4096), { mode: 0o600 });
  const name = `aio:${image}`;
  const disks = [
    { minor: 7, name, readOnly: false },
    { minor: 8, name, readOnly: false },
  ];
  await t.rejects(openDisks(world.registry, disks), { message: new RegExp(`^cannot open disk 8=aio:`) });
  t.match(world.registry.list(), [{ minor: 7, name }]);
});
