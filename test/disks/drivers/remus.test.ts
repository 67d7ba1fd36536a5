// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { truncateSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { errno, NodePosix } from '../../../src/posix/index.js';
import { RemusDriver } from '../../../src/disks/drivers/index.js';
import { parseRemusArgument } from '../../../src/disks/drivers/remus-options.js';
import type { Vbd } from '../../../src/disks/index.js';
import type { DiskReplication } from '../../../src/replication/disk/disk-replication.js';
import { type DiskWorld, diskWorld } from './disk-world.js';

const SIZE = 1 << 20;

t.test('the options of a name', async (t) => {
  t.same(parseRemusArgument('10.0.0.2:9000'), { address: '10.0.0.2:9000' });
  t.same(
    parseRemusArgument(
      'b.example:9,role=backup,interval=25ms,journal=64M,directory=/x=y,commit-on-flush=require',
    ),
    {
      address: 'b.example:9',
      role: 'backup',
      checkpointIntervalSeconds: 0.025,
      journalBytes: 64 << 20,
      directory: '/x=y',
      commitOnFlush: 'require',
    },
  );
  t.match(parseRemusArgument('10.0.0.2'), 'expected remus:HOST:PORT');
  t.match(parseRemusArgument('10.0.0.2:0'), 'port from 1 to 65535');
  t.match(parseRemusArgument('a:1,speed=2'), 'unknown option "speed": expected one of role, peer');
  t.match(parseRemusArgument('a:1,interval=1ms'), 'interval="1ms" cannot be: expected a time from 0.025 s');
  t.match(parseRemusArgument('a:1,journal=1K'), 'expected a size from 4194304');
  t.match(parseRemusArgument('a:1,role=both'), 'expected auto, primary, backup');
  t.match(parseRemusArgument('a:1,directory=x'), 'an absolute path');
});

/** A port of the loopback that is free for now. */
function freePort(): number {
  const posix = new NodePosix();
  const fd = posix.socket(2, 1);
  posix.bind(fd, { family: 2, address: '127.0.0.1', port: 0 });
  const name = posix.getsockname(fd);
  posix.close(fd);
  return (name as { port: number }).port;
}

function imageOf(world: DiskWorld, name: string): string {
  const path = world.path(name);
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  return path;
}

function replicationOf(world: DiskWorld, index: number): DiskReplication {
  const driver = world.registry.vbds()[index]?.drivers.find((each) => each instanceof RemusDriver);
  const replication = driver?.replication;
  if (!replication) throw new Error(`there is no replicated disk ${index}`);
  return replication;
}

function protectedBy(replication: DiskReplication): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (replication.status().state === 'protected') resolve();
    };
    replication.onEvent(look);
    look();
  });
}

const written = (vbd: Vbd, sector: number, byte: number): Promise<number> =>
  new Promise((resolve) => vbd.queueWrite(sector, Buffer.alloc(4096, byte), resolve));
const readFrom = (vbd: Vbd, sector: number): Promise<Buffer> =>
  new Promise((resolve) => {
    const buffer = Buffer.alloc(4096);
    vbd.queueRead(sector, buffer, () => resolve(buffer));
  });

t.test('two images, a primary and its backup, over real sockets and files', async (t) => {
  const world = diskWorld(t);
  const address = `127.0.0.1:${freePort()}`;
  const backup = await world.open(`remus:${address},role=backup,journal=4M|aio:${imageOf(world, 'b')}`);
  const primary = await world.open(
    `remus:${address},role=primary,interval=0|log:|aio:${imageOf(world, 'a')}`,
  );
  const replication = replicationOf(world, 1);
  await protectedBy(replication);
  t.equal(await written(primary, 8, 7), 0);
  t.ok((await new Promise<number>((resolve) => replication.checkpoint(resolve))) > 0);
  t.ok((await readFrom(backup, 8)).equals(Buffer.alloc(4096, 7)));
  t.equal(await written(backup, 8, 1), -errno.EROFS, 'a backup takes no writes');
  t.match(backup.describe(), 'backup');
});

t.test('what cannot be replicated is refused with a reason', async (t) => {
  const world = diskWorld(t);
  const path = imageOf(world, 'a');
  t.equal(await world.tryOpen('remus:nowhere|ram:1'), -errno.EINVAL);
  t.equal(await world.tryOpen(`remus:127.0.0.1:9|aio:${path}`, { readOnly: true }), -errno.EINVAL);
  t.equal(
    await world.tryOpen('remus:127.0.0.1:9|ram:1'),
    -errno.EINVAL,
    'memory has no place for the journal',
  );
  t.match(world.lines.join('\n'), 'expected directory=PATH');
});
