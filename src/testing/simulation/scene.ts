// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_DIALECT, type Dialect } from '../../scheduler/dialect.js';
import type { SimulatedHost } from '../host.js';
import { CheckedStreams } from '../invariants/checked-streams.js';
import type { ConnectModule } from '../invariants/watched-connect.js';
import { Violations } from '../invariants/violations.js';
import { SimulatedWorld } from '../world.js';
import { ReplicaNode } from './replica-node.js';

/** Few enough that a fault can use them all up. */
const MAX_DESCRIPTORS = 20;

/** A replicated disk: where its two sides are, and who they are at this moment. */
export interface Disk {
  readonly backup: SimulatedHost;
  readonly primary: SimulatedHost;
  /** What both sides are given: the backup's name and port. */
  readonly address: string;
  /** The sides that run, by host; a crash leaves the dead one until the next start. */
  readonly nodes: Map<SimulatedHost, ReplicaNode>;
}

export interface SceneOptions {
  /** Whose scheduler the servers have; tapdisk2's unless given. */
  readonly dialect?: Dialect;
  /** As for {@link WorldOptions.traceLines}; none unless given. */
  readonly traceLines?: number;
  /** The connect module to run; the one of this package unless given. */
  readonly module?: ConnectModule;
  /** How many disks there are at most; 2 unless given. */
  readonly maxDisks?: 1 | 2;
}

/** The world of one simulated run: two hosts that are each other's backups, one or two disks, and a third host. */
export class Scene {
  readonly world: SimulatedWorld;
  readonly violations: Violations;
  readonly hosts: readonly [SimulatedHost, SimulatedHost];
  /** Connects to where it has no business. */
  readonly stranger: SimulatedHost;
  readonly disks: readonly Disk[];
  readonly #streams: CheckedStreams;
  readonly #module: ConnectModule | undefined;
  readonly #dialect: Dialect;

  constructor(seed: number, options: SceneOptions = {}) {
    this.#module = options.module;
    this.#dialect = options.dialect ?? DEFAULT_DIALECT;
    this.world = new SimulatedWorld({
      seed,
      traceLines: options.traceLines ?? 0,
      buffers: { sendBytes: 4096, receiveBytes: 3072, segmentBytes: 1024 },
      maxWakeLatencySeconds: 0.001,
      shortTransfers: 0.1,
    });
    const { world } = this;
    this.violations = new Violations(world);
    this.#streams = new CheckedStreams(this.violations);
    const limits = { maxDescriptors: MAX_DESCRIPTORS };
    this.hosts = [world.host('10.0.0.1', limits), world.host('10.0.0.2', limits)];
    this.stranger = world.host('10.0.0.99');
    const [one, other] = this.hosts;
    const disks: Disk[] = [newDisk(one, other, 9001)];
    // Half of the second disks are backed up the other way round.
    if (options.maxDisks !== 1 && world.random.chance(0.4)) {
      disks.push(world.random.chance(0.5) ? newDisk(one, other, 9002) : newDisk(other, one, 9002));
    }
    this.disks = disks;
    this.restoreNames();
  }

  /** Every side of a disk that runs, in a fixed order. */
  get nodes(): ReplicaNode[] {
    return this.disks.flatMap(({ nodes }) => [...nodes.values()]);
  }

  /** Boots the program of a host: one server, and its side of each disk. */
  boot(host: SimulatedHost): void {
    host.boot(() => {
      const server = host.serve({ dialect: this.#dialect });
      for (const disk of this.disks) {
        const node = new ReplicaNode({
          host,
          server,
          random: this.world.random,
          streams: this.#streams,
          address: disk.address,
          ...(this.#module && { module: this.#module }),
        });
        disk.nodes.set(host, node);
        node.begin();
      }
    });
  }

  restoreNames(): void {
    for (const host of this.hosts) this.world.name(nameOf(host), { addresses: [host.name] });
  }

  /** Whether each of the two sides of a disk hears the other on the connection that it has now, and neither ends it. */
  isConnected({ primary, backup, nodes }: Disk): boolean {
    const one = nodes.get(primary)?.session;
    const other = nodes.get(backup)?.session;
    if (one === undefined || other === undefined || one.isShut || other.isShut) return false;
    return one.incoming.source === other.outgoing && other.incoming.source === one.outgoing;
  }
}

function newDisk(backup: SimulatedHost, primary: SimulatedHost, port: number): Disk {
  return { backup, primary, address: `${nameOf(backup)}:${port}`, nodes: new Map() };
}

/** The name under which a host is looked up. */
export function nameOf(host: SimulatedHost): string {
  return `host-${host.name.replaceAll('.', '-')}.example`;
}
