// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { keepAside } from '../../../src/replication/disk/keep-aside.js';
import { memoryDisk } from './memory-disk.js';
import { stateFiles } from './state-files.js';

const SECTOR = 512;

t.test('grains are kept at their places in a file as long as the disk, and listed beside it', async (t) => {
  const { world, host, files } = stateFiles();
  // Ten grains of eight sectors, the last of which has only four.
  const bytes = Buffer.from(Uint8Array.from({ length: 76 * SECTOR }, (_, at) => 1 + (at % 251)));
  const { disk } = memoryDisk(bytes);
  await world.complete(keepAside({ files, disk, path: '/srv/kept', grains: [0, 3, 4, 9], grainSectors: 8 }));
  const kept = Buffer.from(host.files.contents('/srv/kept'));
  t.equal(kept.length, bytes.length);
  const expected = Buffer.alloc(bytes.length);
  for (const [from, to] of [
    [0, 8],
    [24, 40],
    [72, 76],
  ] as const)
    bytes.copy(expected, from * SECTOR, from * SECTOR, to * SECTOR);
  t.ok(kept.equals(expected));
  t.same(JSON.parse(Buffer.from(host.files.contents('/srv/kept.json')).toString()), {
    sectorSize: 512,
    ranges: [
      { sector: 0, sectors: 8 },
      { sector: 24, sectors: 16 },
      { sector: 72, sectors: 4 },
    ],
  });
  t.same(
    host.leftovers().filter((line) => line.includes(': file ')),
    [],
    'nothing is held open',
  );
  host.files.system.losePower({ remains: () => [], keepsEntries: () => false });
  t.ok(
    Buffer.from(host.files.contents('/srv/kept')).equals(expected),
    'both are on stable storage, and their names',
  );
  t.ok(host.files.contents('/srv/kept.json').length > 0);
});

t.test('a disk that cannot be read is not kept', async (t) => {
  const { world, files } = stateFiles();
  const { disk } = memoryDisk(Buffer.alloc(64 * SECTOR), () => true);
  const kept = keepAside({ files, disk, path: '/srv/kept', grains: [1], grainSectors: 8 });
  await t.rejects(world.complete(kept), { message: 'cannot read the image: EIO', result: -errno.EIO });
});

t.test('what is kept is durable before its list is written, and that before it is reported', async (t) => {
  const { world, host, held, files } = stateFiles();
  const { disk } = memoryDisk(Buffer.alloc(8 * SECTOR, 1));
  for (const name of ['/srv/kept', '/srv/kept.json']) held.hold('fdatasync', name);
  let isKept = false;
  const kept = keepAside({ files, disk, path: '/srv/kept', grains: [0], grainSectors: 8 });
  void kept.then(() => (isKept = true));
  await world.run(1);
  t.equal(held.waiting('fdatasync', '/srv/kept'), 1);
  t.throws(() => host.files.contents('/srv/kept.json'));
  held.release('fdatasync', '/srv/kept');
  await world.run(1);
  t.equal(held.waiting('fdatasync', '/srv/kept.json'), 1);
  t.notOk(isKept);
  held.release('fdatasync', '/srv/kept.json');
  await world.complete(kept);
});

t.test('what cannot be made durable is not kept', async (t) => {
  for (const nth of [1, 2]) {
    const { world, host, files } = stateFiles();
    const { disk } = memoryDisk(Buffer.alloc(8 * SECTOR, 1));
    host.files.failCalls({ calls: ['fdatasync'], nth, error: errno.EIO });
    await t.rejects(
      world.complete(keepAside({ files, disk, path: '/srv/kept', grains: [0], grainSectors: 8 })),
      { message: `cannot sync /srv/kept${nth === 1 ? '' : '.json'}: EIO`, result: -errno.EIO },
    );
  }
});
