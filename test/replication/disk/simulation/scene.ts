// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  DEFAULT_REPLICATION_OPTIONS,
  MIN_JOURNAL_BYTES,
  type ReplicationOptions,
} from '../../../../src/replication/disk/options.js';
import {
  type CrashKind,
  type Random,
  type SimulatedHost,
  SimulatedWorld,
  Violations,
} from '../../../../src/testing/index.js';
import { contentOf, tagged } from './content.js';
import { type CreateReplication, DIRECTORY, IMAGE, Node } from './node.js';
import { Oracle } from './oracle.js';

/** 24 grains, so that a resync has something to choose from. */
export const SECTORS = 24 * 128;
const PORT = 9000;

export interface SceneOptions {
  readonly create: CreateReplication;
  readonly traceLines?: number;
}

/** Two hosts, each with an image and the engine, of which the second is the primary at first. */
export class Scene {
  readonly world: SimulatedWorld;
  readonly violations: Violations;
  readonly oracle: Oracle;
  readonly random: Random;
  readonly hosts: readonly [SimulatedHost, SimulatedHost];
  readonly options: ReplicationOptions;
  /** The present process of each host. */
  readonly #nodes = new Map<SimulatedHost, Node>();
  readonly #create: CreateReplication;
  /** When the faults are over. */
  isHealed = false;
  /** Is told of each process whose engine has opened. */
  onUp: (node: Node) => void = () => {};
  /** Is told the result of each opening, and why it failed. */
  onOpened: (result: number, reason?: string) => void = () => {};
  /** How much of what is made to fail on a host has not ended. */
  readonly #harms = new Map<SimulatedHost, number>();
  /** A backup that could not read something counts it as different. */
  wasHarmed = false;
  /** Hosts that lost their power since what they have was last looked at. */
  readonly #lostPower = new Set<SimulatedHost>();
  /** Since when the two cannot hear each other, in virtual seconds; undefined: they can. */
  cutSince: number | undefined;

  constructor(seed: number, { create, traceLines = 0 }: SceneOptions) {
    this.world = new SimulatedWorld({ seed, traceLines, shortTransfers: 0.02 });
    this.random = this.world.random.fork();
    this.violations = new Violations(this.world);
    const { random } = this;
    this.hosts = [this.world.host('10.0.0.1'), this.world.host('10.0.0.2')];
    this.oracle = new Oracle(this.violations, [this.hosts[0].name, this.hosts[1].name]);
    this.#create = create;
    this.options = {
      ...DEFAULT_REPLICATION_OPTIONS,
      address: `${this.hosts[0].name}:${PORT}`,
      directory: DIRECTORY,
      journalBytes: MIN_JOURNAL_BYTES,
      memoryBytes: random.pick([64 << 10, 1 << 20]),
      queueBytes: random.pick([256 << 10, 1 << 20]),
      checkpointIntervalSeconds: random.pick([0, 0.025, 0.2, 1]),
      commitOnFlush: random.pick(['off', 'prefer', 'require'] as const),
      flushLimitSeconds: 30,
      verifyBytesPerSecond: random.pick([0, 1 << 20]),
      hotGrains: random.pick([2, 8, 1000]),
    };
    const image = new Uint8Array(SECTORS * 512);
    if (random.chance(0.5)) {
      for (let sector = 0; sector < SECTORS; sector += 1 + random.integer(0, 40))
        image.set(tagged(0xffff_0000 + sector, 1), sector * 512);
    }
    this.hosts[0].files.put(IMAGE, new Uint8Array(SECTORS * 512), { sparse: random.chance(0.5) });
    this.hosts[1].files.put(IMAGE, image, { sparse: random.chance(0.5) });
    this.oracle.primaryStarts(this.hosts[1].name, contentOf(image), true);
  }

  /** The present process of a host, if its engine is open. */
  node(host: SimulatedHost): Node | undefined {
    const node = this.#nodes.get(host);
    return node?.isUp === true ? node : undefined;
  }

  peerOf(host: SimulatedHost): SimulatedHost {
    return host === this.hosts[0] ? this.hosts[1] : this.hosts[0];
  }

  /** Has a host start the engine whenever it starts. */
  boot(host: SimulatedHost): void {
    host.boot(async () => {
      const { world, violations, options, oracle } = this;
      const onProtected = (): void => oracle.isProtected(host.name);
      const node = new Node({ world, host, violations, create: this.#create, options, onProtected });
      this.#nodes.set(host, node);
      const [result, reason] = await node.open();
      this.onOpened(result, reason);
      if (result === 0) this.onUp(node);
      else if (!this.isHarmed(host)) violations.add(host.name, `the engine does not open: ${result}`);
    });
  }

  /** Ends a host's process, or its power. What was harmed loses its power, since a failed sync leaves a cache that lies. */
  crash(host: SimulatedHost, kind: CrashKind): void {
    const harsh = this.isHarmed(host) ? 'silence' : kind;
    if (host.isAlive && harsh === 'silence') this.#lostPower.add(host);
    host.crash(harsh);
  }

  /** Something of a host's files is made to fail until what is returned is called: its engine may fail until then. */
  harm(host: SimulatedHost): () => void {
    const change = (by: number): void => void this.#harms.set(host, (this.#harms.get(host) ?? 0) + by);
    change(1);
    this.wasHarmed = true;
    return () => {
      // As an operator would, who has mended the disk.
      this.crash(host, 'silence');
      change(-1);
      host.restart();
    };
  }

  isHarmed(host: SimulatedHost): boolean {
    return (this.#harms.get(host) ?? 0) > 0;
  }

  /** Whether a host has had power since this was last asked. */
  keptPower(host: SimulatedHost): boolean {
    return !this.#lostPower.delete(host);
  }

  sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.world.after(seconds, resolve);
    });
  }
}
