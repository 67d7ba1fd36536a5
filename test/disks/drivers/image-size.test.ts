// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { imageSizer } from '../../../src/disks/drivers/index.js';
import { diskWorld, told } from './disk-world.js';

t.test('an image is as large as its whole sectors, a block device as the kernel says', async (t) => {
  const size = imageSizer(diskWorld(t).registry.completions);
  const sizeOf = (kind: Parameters<typeof size>[0]): Promise<number> => told((done) => size(kind, done));
  t.equal(await sizeOf({ kind: 'regular', size: 1535, device: '0:0' }), 2);
  t.equal(await sizeOf({ kind: 'other', size: 512, device: '1:3' }), -errno.EINVAL);
  t.equal(await sizeOf({ kind: 'block', size: 0, device: '9999:9999' }), -errno.ENOENT);
  const [device] = readdirSync('/sys/dev/block');
  if (device === undefined) return;
  const sectors = Number(readFileSync(`/sys/dev/block/${device}/size`, 'utf8'));
  t.equal(await sizeOf({ kind: 'block', size: 0, device }), sectors);
});
