// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { pattern } from '../disks/drivers/disk-world.js';
import { smallFileSystem } from '../small-file-system.js';
import { emptyImage, imageWorld, MIB, PROGRAMS_TIMEOUT_MS, writeImage } from './image-world.js';
import { nbdWorld, until } from './nbd-world.js';
import { hasPrograms, skipped } from '../programs.js';

t.setTimeout(PROGRAMS_TIMEOUT_MS);

t.test('a client that is killed in the middle of its writes leaves the server serving', async (t) => {
  if (!hasPrograms(t, 'nbdcopy')) return;
  const world = await imageWorld(t, 128);
  const source = world.path('source');
  writeImage(source, 128);
  const healthy = await world.client('0');
  const descriptors = world.posix.openDescriptors().length;
  for (let round = 1; round <= 3; round++) {
    const writes = (): number => world.registry.get(0)!.statistics().kinds.write.completed;
    const before = writes();
    const child = spawn('nbdcopy', [source, world.uri('0')], { stdio: 'ignore' });
    // It may end by itself before this process gets to look.
    const exit = once(child, 'exit');
    await until(() => writes() > before + 20);
    child.kill('SIGKILL');
    const [status, signal] = (await exit) as [number | null, string | null];
    t.strictSame([status, signal], [null, 'SIGKILL'], 'it was not done before');
    await until(() => world.nbd.connections === 1);
    await healthy.write(0, pattern(8, round));
    t.strictSame(await healthy.read(0, 4096), pattern(8, round));
    t.equal(world.posix.openDescriptors().length, descriptors);
  }
});

t.test('a full file system fails only the request, and the server continues', async (t) => {
  const world = nbdWorld(t);
  const small = world.path('small');
  mkdirSync(small);
  const remove = smallFileSystem(small, '4m');
  if (typeof remove === 'string') {
    skipped(t, remove);
    return;
  }
  const [image, ballast] = [join(small, 'disk.img'), join(small, 'ballast')];
  t.teardown(async () => {
    // The image keeps the file system busy until it is closed.
    await until(() => world.registry.vbds().every((vbd) => vbd.phase === 'closed'));
    remove();
  });
  emptyImage(image, 8);
  writeFileSync(ballast, Buffer.alloc(2 * MIB));
  const vbd = await world.open(`aio:${image}`);
  t.teardown(() => void vbd.close());
  const client = await world.client('0');
  await client.write(0, pattern(2048, 1));
  await t.rejects(client.write(4 * MIB, Buffer.alloc(2 * MIB, 'x')), { code: 'ENOSPC' });
  t.match(world.lines.at(-1), /cannot write 4096 sectors at 8192: ENOSPC/);
  t.strictSame(await client.read(0, MIB), pattern(2048, 1), 'what was written is there');
  await client.write(0, pattern(2048, 2));
  await client.flush();
  rmSync(ballast);
  await client.write(4 * MIB, pattern(4096, 3));
  await client.flush();
  t.strictSame(await client.read(4 * MIB, 2 * MIB), pattern(4096, 3), 'with room again it goes on');
  client.disconnect();
});
