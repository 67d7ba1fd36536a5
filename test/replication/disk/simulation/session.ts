// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { FileRecorder, type SimulatedFileSystem } from '../../../../src/testing/index.js';
import { Client } from './client.js';
import type { Segment } from './history.js';
import type { CreateReplication, Node } from './node.js';
import { Scene } from './scene.js';

/** What was promised from a moment of a recording on. */
export interface Promised {
  readonly kind: 'acked' | 'flushed';
  readonly moment: number;
}

export type Recorder = FileRecorder<Promised>;

/** Two hosts of which one is protected by the other, and a client whose requests are made one at a time. */
export class Session {
  readonly scene: Scene;
  readonly primary: Node;
  readonly backup: Node;
  readonly client: Client;
  readonly segment: Segment;

  private constructor(scene: Scene) {
    const [backup, primary] = scene.hosts.map((host) => scene.node(host));
    if (!backup || !primary) throw new Error('an engine is not open');
    this.scene = scene;
    this.primary = primary;
    this.backup = backup;
    this.client = new Client(scene, primary);
    this.segment = scene.oracle.segment(primary.name);
  }

  /** The first sync is over. */
  static async begin(seed: number, create: CreateReplication): Promise<Session> {
    const scene = new Scene(seed, { create, traceLines: 0 });
    for (const host of scene.hosts) scene.boot(host);
    await Session.untilProtected(scene);
    return new Session(scene);
  }

  /** The two sides go on from two file systems. */
  static async resume(
    seed: number,
    create: CreateReplication,
    systems: readonly SimulatedFileSystem[],
  ): Promise<Scene> {
    const scene = new Scene(seed, { create, traceLines: 0 });
    for (const [index, host] of scene.hosts.entries()) {
      host.files.system.restore(systems[index] as SimulatedFileSystem);
      scene.boot(host);
    }
    return scene;
  }

  static async untilProtected(scene: Scene): Promise<void> {
    const { world, violations, hosts } = scene;
    await world.run(
      () => !violations.isEmpty || scene.node(hosts[1])?.engine.status().state === 'protected',
      { limitSeconds: 120 },
    );
    if (!violations.isEmpty) throw new Error(violations.list.join('; '));
  }

  /** Records both sides from now on. */
  record(): Recorder {
    const recorder: Recorder = new FileRecorder(...this.scene.hosts.map(({ files }) => files.system));
    this.scene.oracle.onPromise = (kind, moment) => recorder.mark({ kind, moment });
    return recorder;
  }

  /** Random writes, of which some are under way together. */
  async write(count: number, sizes: readonly number[] = [1, 8, 33, 128]): Promise<void> {
    const { random, world } = this.scene;
    for (let left = count; left > 0; left--) {
      const sectors = random.pick(sizes);
      this.client.write(random.integer(0, 600), sectors, random.chance(0.2));
      if (random.chance(0.5)) await world.run(random.between(0, 0.003));
    }
    await world.run(() => this.client.underWay === 0);
  }

  /** A checkpoint that must be done. */
  async checkpoint(): Promise<void> {
    if (!(await this.scene.world.complete(this.client.checkpoint()))) throw new Error('a checkpoint fails');
  }

  async flush(): Promise<void> {
    await this.scene.world.complete(this.client.flush());
  }

  /** The connection breaks, writes go on, and the backup gets what it lacks. */
  async breakOff(): Promise<void> {
    const { world, hosts } = this.scene;
    world
      .link(...hosts)
      .cut()
      .reset();
    await world.run(() => this.primary.engine.status().state === 'unprotected', { limitSeconds: 60 });
    await this.write(6);
    world.link(...hosts).heal();
    await Session.untilProtected(this.scene);
  }
}
