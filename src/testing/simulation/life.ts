// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, SOCK_STREAM } from '../../posix/address.js';
import type { CallFault } from '../call-faults.js';
import type { SimulatedHost } from '../host.js';
import type { ReplicaNode } from './replica-node.js';
import { type Disk, Scene, type SceneOptions } from './scene.js';
import { connectAll, stopAll } from './simulate.js';

/** Whose calls are to fail. */
export type LifeOf = 'server' | 'client' | 'both';

/** Any would do; with another the streams are of other lengths. */
const LIFE_SEED = 1;
const BEFORE_BACKUP_SECONDS = 1.5;
const EXCHANGE_SECONDS = 1.5;

/**
 * The life of a primary and its backup, in which one call may fail: the primary is there first and is refused, the backup
 * comes, they exchange streams, a stranger is rejected, the backup drops the connection and starts over, then the
 * primary does, then both are stopped. After each step they have to be connected, in the end nothing may be left.
 *
 * @returns what must not be and was
 */
export async function live(
  lifeOf: LifeOf,
  fault: CallFault,
  options: SceneOptions = {},
): Promise<readonly string[]> {
  const scene = new Scene(LIFE_SEED, { maxDisks: 1, ...options });
  const { world, violations } = scene;
  const disk = scene.disks[0] as Disk;
  if (lifeOf !== 'client') disk.backup.failCalls(fault);
  if (lifeOf !== 'server') disk.primary.failCalls(fault);
  try {
    scene.boot(disk.primary);
    await world.run(BEFORE_BACKUP_SECONDS);
    scene.boot(disk.backup);
    for (const step of [turnStrangerAway, dropBackup, dropPrimary]) {
      await connectAll(scene);
      await world.run(EXCHANGE_SECONDS);
      step(scene, disk);
    }
    await connectAll(scene);
    await stopAll(scene);
  } catch (error) {
    violations.caught('world', error);
  }
  return violations.list;
}

function turnStrangerAway({ world, stranger }: Scene, disk: Disk): void {
  const { posix } = stranger;
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(fd, { family: AF_INET, address: disk.backup.name, port: Number(disk.address.split(':')[1]) });
  world.after(EXCHANGE_SECONDS, () => posix.close(fd));
}

function dropBackup(_: Scene, { backup, nodes }: Disk): void {
  nodeOn(nodes, backup).drop();
}

function dropPrimary(_: Scene, { primary, nodes }: Disk): void {
  nodeOn(nodes, primary).drop();
}

function nodeOn(nodes: ReadonlyMap<SimulatedHost, ReplicaNode>, host: SimulatedHost): ReplicaNode {
  return nodes.get(host) as ReplicaNode;
}
