// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { truncateSync, writeFileSync } from 'node:fs';
import { AF_INET, NodePosix, SOCK_STREAM } from '../../../src/posix/index.js';
import { RemusDriver } from '../../../src/disks/drivers/index.js';
import type { Vbd } from '../../../src/disks/index.js';
import type { DiskReplication } from '../../../src/replication/disk/disk-replication.js';
import type { ReplicationStatus } from '../../../src/replication/disk/status.js';
import type { DiskWorld } from './disk-world.js';

/** A port of the loopback that is free for now. */
export function freePort(): number {
  const posix = new NodePosix();
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(fd, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const name = posix.getsockname(fd);
  posix.close(fd);
  return (name as { port: number }).port;
}

/** A new sparse image of 1 MiB. */
export function imageOf(world: DiskWorld, name: string): string {
  const path = world.path(name);
  writeFileSync(path, '', { mode: 0o600 });
  truncateSync(path, 1 << 20);
  return path;
}

/** The replication of the n-th disk of a world. */
export function replicationOf(world: DiskWorld, index: number): DiskReplication {
  const driver = RemusDriver.among(world.registry.vbds()[index]?.drivers ?? []);
  const replication = driver?.replication;
  if (!replication) throw new Error(`there is no replicated disk ${index}`);
  return replication;
}

/** Waits until a status is as it should be; it is looked at after each event. */
export function untilStatus(
  replication: DiskReplication,
  isReached: (status: ReplicationStatus) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isReached(replication.status())) resolve();
    };
    replication.onEvent(look);
    look();
  });
}

export const written = (vbd: Vbd, sector: number, byte: number): Promise<number> =>
  new Promise((resolve) => vbd.queueWrite(sector, Buffer.alloc(4096, byte), resolve));

export const readFrom = (vbd: Vbd, sector: number): Promise<Buffer> =>
  new Promise((resolve) => {
    const buffer = Buffer.alloc(4096);
    vbd.queueRead(sector, buffer, () => resolve(buffer));
  });

/** Opens a backup, and its primary as the disk after it, and waits until the first checkpoint is there. */
export async function openPair(
  world: DiskWorld,
  names: readonly [backup: string, primary: string] = ['b', 'a'],
): Promise<{ readonly backup: Vbd; readonly primary: Vbd }> {
  const address = `127.0.0.1:${freePort()}`;
  const [backupImage, primaryImage] = names.map((name) => imageOf(world, name));
  const backup = await world.open(`remus:${address},role=backup,journal=4M|aio:${backupImage}`);
  const primary = await world.open(`remus:${address},role=primary,interval=0|aio:${primaryImage}`);
  await untilStatus(
    replicationOf(world, world.registry.vbds().length - 1),
    ({ state }) => state === 'protected',
  );
  return { backup, primary };
}
