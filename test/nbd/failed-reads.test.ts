// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { DriverType } from '../../src/disks/index.js';
import { driverTypes } from '../../src/disks/drivers/index.js';
import { errno } from '../../src/posix/index.js';
import { nbdWorld } from './nbd-world.js';
import { request } from './raw-client.js';

const [READ, WRITE] = [0, 1];
const LENGTH = 64 << 10;

/** `broken:`, a disk on which nothing can be read or written; `broken:holes` has a hole in front. */
const broken: DriverType = {
  name: 'broken',
  create: (_context, argument) => ({
    open: (_flags, done) => done(0),
    info: () => ({ sectors: 2048, sectorSize: 512, info: 0 }),
    close: (done) => done(0),
    queueRead: (read) => read.complete(-errno.EIO),
    queueWrite: (write) => write.complete(-errno.EIO),
    flush: (done) => done(0),
    ...(argument === 'holes' && {
      blockStatus: ({ sectors }, told) =>
        told(0, [
          { sectors: sectors / 2, allocated: false, zero: true },
          { sectors: sectors / 2, allocated: true, zero: false },
        ]),
    }),
  }),
};

for (const [disk, structured, command] of [
  ['broken:', false, READ],
  ['broken:', true, READ],
  ['broken:holes', true, READ],
  ['broken:', false, WRITE],
] as const) {
  const what = `${command === READ ? 'reads' : 'writes'} of ${disk}${structured ? ', structured' : ''}`;
  t.test(`failed ${what} leave nothing in flight, and the connection goes on`, async (t) => {
    const limits = { maxBytesInFlight: 2 * LENGTH };
    const world = nbdWorld(t, { types: driverTypes([broken]), limits });
    await world.open(disk);
    const raw = await world.raw().go('', { structured });
    const data = Buffer.alloc(command === WRITE ? LENGTH : 0);
    for (let cookie = 0n; cookie < 50n; cookie++) {
      raw.send(request(command, { cookie, length: LENGTH, data }));
      if (structured) t.match(await raw.chunk(), { cookie, type: 32_769 });
      else t.match(await raw.simple(), { cookie, error: 5 });
    }
    t.equal(world.nbd.requestMemoryBytes, 0);
  });
}
