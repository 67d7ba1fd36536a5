// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { parseRemusArgument } from '../../../src/disks/drivers/remus-options.js';
import { diskWorld } from './disk-world.js';
import { freePort, imageOf, replicationOf, untilStatus } from './remus-world.js';

t.test('allow and deny take addresses and ranges, several of them, and nothing else', async (t) => {
  const parsed = parseRemusArgument('10.0.0.2:9000,allow=10.0.0.0/24,allow=192.0.2.7,deny=10.0.0.9');
  if (typeof parsed === 'string') throw new Error(parsed);
  const { allow, deny } = parsed.peers ?? {};
  for (const [address, isAllowed] of [
    ['10.0.0.77', true],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
  ] as const) {
    t.equal(allow?.check(address), isAllowed, address);
  }
  t.equal(deny?.check('10.0.0.9'), true);
  for (const wrong of ['allow=', 'deny=10.0.0.1/8', 'allow=localhost', 'allow=::1']) {
    t.match(parseRemusArgument(`10.0.0.2:9000,${wrong}`), /cannot be: expected an IPv4 address/, wrong);
  }
});

t.test('a primary whose address is not allowed is rejected, and one that is allowed is not', async (t) => {
  for (const [filter, state] of [
    ['allow=10.0.0.0/8', 'inconsistent'],
    ['allow=127.0.0.0/8,deny=127.0.0.1', 'inconsistent'],
    ['allow=127.0.0.1', 'backup'],
  ] as const) {
    const world = diskWorld(t);
    const address = `127.0.0.1:${freePort()}`;
    await world.open(`remus:${address},role=backup,journal=4M,${filter}|aio:${imageOf(world, 'b.img')}`);
    await world.open(`remus:${address},role=primary|aio:${imageOf(world, 'a.img')}`);
    const backup = replicationOf(world, 0);
    if (state === 'backup') await untilStatus(backup, (status) => status.state === state);
    else
      while (!world.lines.some((line) => line.includes('its address is not allowed')))
        await new Promise(setImmediate);
    t.equal(backup.status().state, state, filter);
    if (state !== 'backup') t.equal(replicationOf(world, 1).status().state, 'unprotected');
  }
});
