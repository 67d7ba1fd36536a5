// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SimulatedHost } from '../../../../src/testing/index.js';
import { Client } from './client.js';
import type { Node } from './node.js';
import type { Scene } from './scene.js';

/**
 * Who looks after the two hosts: starts the work on each primary, looks at the backup's checkpoint now and then, promotes,
 * rejoins, and decides about a split brain.
 */
export class Operator {
  readonly #scene: Scene;
  readonly #clients = new Map<Node, Client>();
  readonly #busy = new Set<Node>();
  /** Primaries whose disks were looked at. */
  readonly #known = new Set<Node>();
  #kept = 0;
  /** Hosts on which a command was given that changes the role, and whose answer has not come. */
  readonly #changing = new Set<SimulatedHost>();

  constructor(scene: Scene) {
    this.#scene = scene;
    scene.onUp = (node) => void this.#guard(node, this.#welcome(node));
  }

  /** The work on a host's primary. */
  client(node: Node): Client | undefined {
    return this.#clients.get(node);
  }

  /** Looks after things until told otherwise. */
  async run(isOver: () => boolean): Promise<void> {
    const { random, hosts } = this.#scene;
    while (!isOver()) {
      await this.#scene.sleep(random.between(0.1, 2));
      const host = random.pick(hosts);
      const node = this.#scene.node(host);
      if (!node || this.#busy.has(node)) continue;
      // A process that dies answers nothing any more: nobody waits for that.
      this.#busy.add(node);
      void this.#guard(node, this.look(node)).then(() => this.#busy.delete(node));
    }
  }

  /** Does what the state of a host calls for. */
  async look(node: Node): Promise<void> {
    const { random, isHealed } = this.#scene;
    const { state } = node.engine.status();
    switch (state) {
      case 'backup':
        await this.#lookAtCheckpoint(node);
        if (!isHealed && node.isUp && this.#mayPromote(node.host) && random.chance(0.3))
          await this.#promote(node);
        break;
      case 'stale':
        this.#scene.oracle.isStale(node.name);
        if (this.#peerIsPrimary(node)) await this.#giveUp(node, 'rejoin');
        break;
      case 'split-brain':
        // One of the two has to go; whoever is looked at first.
        if (this.#peerIsPrimary(node) && random.chance(0.5)) await this.#giveUp(node, 'discard');
        break;
      case 'failed':
        if (this.#scene.isHarmed(node.host)) break;
        this.#scene.violations.add(node.name, `failed for no reason: ${node.engine.status().reason}`);
        break;
      default:
        if (this.#known.has(node)) this.#employ(node);
        if (random.chance(0.05)) await this.#meddle(node);
    }
  }

  /** What is done when a process has come up. What was asked of the one before may be done, though nobody was told. */
  async #welcome(node: Node): Promise<void> {
    const { oracle, violations } = this.#scene;
    const { role, state } = node.engine.status();
    const wasChanging = this.#changing.delete(node.host);
    // Only of a known primary is what it has compared with what it had.
    if (role !== 'primary' || !oracle.hasTenure(node.name)) this.#scene.keptPower(node.host);
    if ((role === 'primary') !== oracle.hasTenure(node.name)) {
      if (!wasChanging) violations.add(node.name, `is a ${role} after a restart, which it was not before`);
      else if (role === 'primary') await this.#wasPromoted(node);
      else oracle.gaveUp(node.name);
      return;
    }
    if (role === 'primary') await this.#lookAtDisk(node);
    else if (state === 'backup') await this.#lookAtCheckpoint(node);
  }

  /** A primary was started again: what it has is looked at, before anybody uses it. */
  async #lookAtDisk(node: Node): Promise<void> {
    // Where a read was made to fail, the disk is what the file is: its backup gets that, whoever has looked at it.
    const content = (await node.readAll()) ?? (node.isUp ? node.fileContent() : undefined);
    if (content === undefined) return;
    this.#scene.oracle.primaryStarts(node.name, content, this.#scene.keptPower(node.host));
    this.#known.add(node);
    this.#employ(node);
  }

  async #wasPromoted(node: Node): Promise<void> {
    // Until it was looked at, it is not known to be one.
    this.#changing.add(node.host);
    const content = await node.readAll();
    if (content === undefined) return;
    this.#changing.delete(node.host);
    this.#scene.oracle.promoted(node.name, content);
    this.#known.add(node);
    this.#employ(node);
  }

  /** Has a primary be used, if it may be. */
  #employ(node: Node): void {
    const { state, role } = node.engine.status();
    if (state === 'stale' || state === 'split-brain' || role !== 'primary') return;
    if (this.#clients.has(node) || this.#changing.has(node.host)) return;
    const client = new Client(this.#scene, node);
    this.#clients.set(node, client);
    void this.#guard(node, client.run());
  }

  async #lookAtCheckpoint(node: Node): Promise<void> {
    const { oracle } = this.#scene;
    const floor = oracle.floorOf(node.name);
    // While it is looked at, what comes after it stays in the journal.
    const { random } = this.#scene;
    const content = await node.checkpoint(random.chance(0.2) ? random.between(0.1, 3) : 0);
    if (typeof content === 'number' || !node.isUp) return;
    if (node.engine.status().state !== 'backup') return;
    const shown = oracle.backupShows(node.name, content, floor);
    this.#scene.world.note(node.name, `shows run ${(shown?.segment ?? -1) + 1} at ${shown?.moment}`);
  }

  /** Not one that is giving that up right now: if both did, there would be none. */
  #peerIsPrimary(node: Node): boolean {
    const peer = this.#scene.peerOf(node.host);
    return !this.#changing.has(peer) && this.#scene.node(peer)?.engine.status().role === 'primary';
  }

  /** When the primary seems to be gone; sometimes when it is only out of reach. */
  #mayPromote(host: SimulatedHost): boolean {
    const peer = this.#scene.node(this.#scene.peerOf(host));
    return peer === undefined || this.#scene.random.chance(0.1);
  }

  async #promote(node: Node): Promise<void> {
    const { random } = this.#scene;
    if (random.chance(0.2)) await node.command((engine, done) => engine.promote({ dryRun: true }, done));
    this.#changing.add(node.host);
    const { result } = await node.command((engine, done) => engine.promote({}, done));
    if (result >= 0) await this.#wasPromoted(node);
    else this.#wasRefused(node);
  }

  async #giveUp(node: Node, how: 'rejoin' | 'discard'): Promise<void> {
    const { oracle } = this.#scene;
    const client = this.#clients.get(node);
    if (client) client.isStopped = true;
    this.#clients.delete(node);
    const keep = `/srv/kept-${(this.#kept += 1)}`;
    this.#changing.add(node.host);
    const { result } = await node.command((engine, done) => {
      if (how === 'rejoin') engine.rejoin({}, done);
      else engine.discard({ keep }, done);
    });
    if (result < 0) {
      this.#wasRefused(node);
      return;
    }
    this.#changing.delete(node.host);
    this.#known.delete(node);
    oracle.gaveUp(node.name);
  }

  /** A command failed. What failed to be written may be there all the same. */
  #wasRefused(node: Node): void {
    if (!this.#scene.isHarmed(node.host)) this.#changing.delete(node.host);
  }

  async #meddle(node: Node): Promise<void> {
    const { random } = this.#scene;
    switch (random.pick(['full', 'verify', 'pause', 'resync'] as const)) {
      case 'full':
        await node.command((engine, done) => engine.resync({ full: true }, done));
        break;
      case 'resync':
        await node.command((engine, done) => engine.resync({}, done));
        break;
      case 'verify': {
        const { verifyDifferences } = node.engine.status();
        if (verifyDifferences > 0 && !this.#scene.wasHarmed)
          this.#scene.violations.add(node.name, `verify has found ${verifyDifferences} differences`);
        node.engine.verify(() => {});
        break;
      }
      case 'pause':
        await node.command((engine, done) => engine.pause(done));
        await this.#scene.sleep(random.between(0, 3));
        if (node.isUp) await node.command((engine, done) => engine.resume(done));
        break;
    }
  }

  /** What goes wrong in a process that still lives is a violation. */
  async #guard(node: Node, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (node.isAlive) this.#scene.violations.caught(node.name, error);
    }
  }
}
