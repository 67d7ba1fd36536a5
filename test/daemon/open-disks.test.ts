// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import t from 'tap';
import { openDisks } from '../../src/daemon/open-disks.js';
import { driverTypes } from '../../src/disks/drivers/index.js';
import type { DriverType } from '../../src/disks/index.js';
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

t.test('a disk is opened read-only if it is to be', async (t) => {
  const { registry } = diskWorld(t);
  await openDisks(registry, [
    { minor: 7, name: 'ram:1', readOnly: true },
    { minor: 8, name: 'ram:1', readOnly: false },
  ]);
  t.same(
    registry.vbds().map(({ minor, readOnly }) => [minor, readOnly]),
    [
      [7, true],
      [8, false],
    ],
  );
});

t.test('the first disk that fails is named, with why, and no further one is opened', async (t) => {
  const { registry } = diskWorld(t);
  const disks = [7, 7, 8].map((minor) => ({ minor, name: 'ram:1', readOnly: false }));
  await t.rejects(openDisks(registry, disks), { code: 'EEXIST', message: 'cannot attach minor 7: EEXIST' });
  t.same(
    registry.vbds().map(({ minor }) => minor),
    [7],
  );
  const unknown = [{ minor: 9, name: 'ram:none', readOnly: false }];
  await t.rejects(openDisks(registry, unknown), {
    code: 'EINVAL',
    message: /^cannot open disk 9=ram:none: /,
    cause: { name: 'SystemError' },
  });
  const named = [{ minor: 10, exportName: 'data', name: 'ram:none', readOnly: false }];
  await t.rejects(openDisks(registry, named), { message: /^cannot open disk data=ram:none: / });
});

t.test('a driver with a fault is named like any other that fails', async (t) => {
  const faulty: DriverType = {
    name: 'faulty',
    create() {
      throw new TypeError('a fault');
    },
  };
  const { registry } = diskWorld(t, { types: driverTypes([faulty]) });
  const opening = openDisks(registry, [{ minor: 7, name: 'faulty:x', readOnly: false }]);
  await t.rejects(opening, {
    code: 'EINVAL',
    message: "cannot open disk 7=faulty:x: the driver 'faulty' has a fault: TypeError: a fault",
  });
});
