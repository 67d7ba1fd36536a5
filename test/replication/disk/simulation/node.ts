// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { RemusDisk } from '../../../../src/disks/drivers/remus-disk.js';
import type { Driver } from '../../../../src/disks/index.js';
import { errnoCode } from '../../../../src/posix/errno.js';
import type {
  CheckpointView,
  CommandDone,
  CommandOutcome,
  DiskReplication,
  ReplicationParts,
} from '../../../../src/replication/disk/disk-replication.js';
import type { ReplicationEvent } from '../../../../src/replication/disk/events.js';
import type { Done } from '../../../../src/replication/disk/local-disk.js';
import type { ReplicationOptions } from '../../../../src/replication/disk/options.js';
import { Completions } from '../../../../src/server/completions.js';
import {
  type SimulatedHost,
  type SimulatedWorld,
  simulatedAioType,
  type Violations,
} from '../../../../src/testing/index.js';
import { contentOf } from './content.js';
import type { DiskContent } from './history.js';

export const IMAGE = '/srv/disk.img';
export const DIRECTORY = '/srv/disk.img.remus';

export type CreateReplication = (parts: ReplicationParts, options: ReplicationOptions) => DiskReplication;

export interface NodeParts {
  readonly world: SimulatedWorld;
  readonly host: SimulatedHost;
  readonly violations: Violations;
  /** Is told when the disk is protected. */
  readonly onProtected: () => void;
  readonly create: CreateReplication;
  readonly options: ReplicationOptions;
}

/** The engine in one process of a host, from its start to the process's end. */
export class Node {
  readonly world: SimulatedWorld;
  readonly host: SimulatedHost;
  readonly options: ReplicationOptions;
  readonly events: ReplicationEvent[] = [];
  readonly #violations: Violations;
  readonly #onProtected: () => void;
  readonly #create: CreateReplication;
  readonly #posix: SimulatedHost['posix'];
  #engine: DiskReplication | undefined;
  #driver: Driver | undefined;
  #completions: Completions | undefined;

  constructor(parts: NodeParts) {
    this.world = parts.world;
    this.host = parts.host;
    this.options = parts.options;
    this.#violations = parts.violations;
    this.#onProtected = parts.onProtected;
    this.#create = parts.create;
    this.#posix = parts.host.posix;
  }

  get name(): string {
    return this.host.name;
  }

  /** Whether its process lives and the engine is open. */
  get isUp(): boolean {
    return this.isAlive && this.#engine !== undefined;
  }

  get isAlive(): boolean {
    return this.host.isAlive && this.host.posix === this.#posix;
  }

  get engine(): DiskReplication {
    if (this.#engine === undefined) throw new Error(`the engine on ${this.name} is not open`);
    return this.#engine;
  }

  /** Opens the image and the engine: the engine's result. */
  async open(): Promise<[result: number, reason?: string | undefined]> {
    const { host } = this;
    const server = host.serve();
    const completions = new Completions(server, host.posix, host.logger);
    const { logger, posix } = host;
    const driver = simulatedAioType(host.files).create(
      { registrar: server, posix, logger, completions },
      IMAGE,
    );
    const opened = await this.ask((done) => driver.open({ readOnly: false, shared: false }, done));
    if (opened !== 0) return [opened];
    this.#driver = driver;
    this.#completions = completions;
    const files = host.files.calls(completions);
    const random = this.world.random.fork();
    const engine = this.#create(
      {
        registrar: server,
        posix,
        files,
        disk: new RemusDisk(driver, (task) => completions.post(task)),
        logger,
        random: (bytes) => {
          for (let at = 0; at < bytes.length; at++) bytes[at] = random.word();
        },
      },
      this.options,
    );
    this.#watch(engine);
    let reason: string | undefined;
    const result = await this.ask((done) => {
      engine.open((code, why) => {
        reason = why;
        done(code);
      });
    });
    this.world.note(this.name, `engine opens: ${result === 0 ? engine.status().state : errnoCode(result)}`);
    if (result === 0) this.#engine = engine;
    return [result, reason];
  }

  /** Closes the engine and the image: the first error. */
  async close(): Promise<number> {
    const engine = this.engine;
    this.#engine = undefined;
    const closed = await this.ask((done) => engine.close(done));
    const driver = await this.ask((done) => (this.#driver ? this.#driver.close(done) : done(0)));
    this.#completions?.[Symbol.dispose]();
    return Math.min(closed, driver);
  }

  /** What the image has, whether or not it can be read. Undefined for a fault, which is reported. */
  fileContent(): DiskContent | undefined {
    return this.content(this.host.files.contents(IMAGE));
  }

  /** Reads the whole disk. Undefined when a read fails. */
  async readAll(): Promise<DiskContent | undefined> {
    const sectors = 128;
    const all = new Uint8Array(this.host.files.contents(IMAGE).length);
    for (let sector = 0; sector * 512 < all.length; sector += sectors) {
      const part = all.subarray(sector * 512, (sector + sectors) * 512);
      const result = await this.ask((done) => this.engine.read(sector, part, done));
      if (result < 0) return undefined;
    }
    return this.content(all);
  }

  /**
   * The committed checkpoint, or the errno of opening or reading it.
   *
   * @param holdSeconds it is looked at again after so long, and must not have changed
   */
  async checkpoint(holdSeconds = 0): Promise<DiskContent | number> {
    const opened = await new Promise<CheckpointView | number>((resolve) => {
      this.engine.openCheckpoint((result, view) => resolve(view ?? result));
    });
    if (typeof opened === 'number') return opened;
    const first = await this.#readView(opened);
    if (typeof first !== 'number' && holdSeconds > 0) {
      await new Promise<void>((resolve) => {
        this.world.after(holdSeconds, resolve);
      });
      const again = await this.#readView(opened);
      if (typeof again !== 'number' && Buffer.compare(first, again) !== 0)
        this.#violations.add(this.name, 'a checkpoint changes while it is looked at');
    }
    opened.close();
    return typeof first === 'number' ? first : (this.content(first) ?? -1);
  }

  async #readView(view: CheckpointView): Promise<Uint8Array | number> {
    const all = new Uint8Array(view.sectors * 512);
    for (let sector = 0; sector < view.sectors; sector += 256) {
      const part = all.subarray(sector * 512, (sector + 256) * 512);
      const result = await this.ask((done) => view.read(sector, part, done));
      if (result < 0) return result;
    }
    return all;
  }

  /** The result that a call tells. A second answer is a violation (Q12). */
  ask(call: (done: Done) => void): Promise<number> {
    let isTold = false;
    return new Promise((resolve) => {
      call((result) => {
        if (isTold) this.#violations.add(this.name, 'a request was answered twice');
        isTold = true;
        resolve(result);
      });
    });
  }

  command(make: (engine: DiskReplication, done: CommandDone) => void): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      make(this.engine, resolve);
    });
  }

  content(bytes: Uint8Array): DiskContent | undefined {
    try {
      return contentOf(bytes);
    } catch (error) {
      this.#violations.caught(this.name, error);
      return undefined;
    }
  }

  /** Checks that each change of state is told once. */
  #watch(engine: DiskReplication): void {
    let state: string | undefined;
    engine.onEvent((event) => {
      this.events.push(event);
      if (event.kind !== 'state') return;
      if (event.to === 'protected') this.#onProtected();
      const wrong = (what: string): void =>
        this.#violations.add(this.name, `the event ${event.from} to ${event.to} ${what}`);
      if (event.from === event.to) wrong('is no change');
      if (state !== undefined && event.from !== state) wrong(`comes in state ${state}`);
      state = event.to;
      if (engine.status().state !== event.to) wrong(`comes while the status says ${engine.status().state}`);
    });
  }
}
