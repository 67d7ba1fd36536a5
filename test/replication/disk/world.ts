// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import type { Test } from 'tap';
import { WriteOrder } from '../../../src/disks/drivers/write-order.js';
import type { FileCalls } from '../../../src/posix/files.js';
import { readWhole, writeWhole } from '../../../src/posix/whole-transfer.js';
import { cPeers } from '../../../src/replication/disk/c/index.js';
import type { CommandOutcome } from '../../../src/replication/disk/disk-replication.js';
import { Replication } from '../../../src/replication/disk/engine.js';
import type { ReplicationEvent } from '../../../src/replication/disk/events.js';
import type { Done, LocalDisk } from '../../../src/replication/disk/local-disk.js';
import type { ReplicationOptions } from '../../../src/replication/disk/options.js';
import type { PeerTls } from '../../../src/replication/disk/peer-tls.js';
import { Completions } from '../../../src/server/completions.js';
import { SimulatedWorld, type SimulatedHost } from '../../../src/testing/index.js';
import { HeldCalls } from './held-calls.js';

export const SECTORS = 4096;
export const IMAGE = '/srv/disk.img';
export const DIRECTORY = '/srv/disk.img.remus';
const SECTOR = 512;

/** A raw image in a simulated file. */
export class ImageDisk implements LocalDisk {
  readonly sectors: number;
  readonly #order = new WriteOrder();
  readonly #files: FileCalls;
  readonly #fd: number;
  /** Whether a write completes before its call returns; the file gets it later. */
  completesAtOnce = false;

  constructor(files: FileCalls, fd: number, sectors = SECTORS) {
    this.sectors = sectors;
    this.#files = files;
    this.#fd = fd;
  }

  read(sector: number, buffer: Uint8Array, done: Done): void {
    readWhole(this.#files, this.#fd, buffer, sector * SECTOR, done);
  }
  write(sector: number, buffer: Uint8Array, done: Done): void {
    if (this.completesAtOnce) {
      writeWhole(this.#files, this.#fd, Uint8Array.from(buffer), sector * SECTOR, () => {});
      done(0);
      return;
    }
    const range = { sector, sectors: buffer.length / SECTOR };
    this.#order.begin(range, () =>
      writeWhole(this.#files, this.#fd, buffer, sector * SECTOR, (result) => {
        this.#order.end(range);
        done(result);
      }),
    );
  }
  zero(sector: number, sectors: number, done: Done): void {
    this.write(sector, new Uint8Array(sectors * SECTOR), done);
  }
  flush(done: Done): void {
    this.#files.fdatasync(this.#fd, done);
  }
  identify(
    done: (
      result: number,
      identity?: { fileSystem: number; inode: number; modifiedMicroseconds: number },
    ) => void,
  ): void {
    this.#files.fstat(this.#fd, (result, status) => {
      if (!status) done(result);
      else
        done(0, {
          fileSystem: status.fileSystem,
          inode: status.inode,
          modifiedMicroseconds: Math.round(status.modifiedSeconds * 1e6),
        });
    });
  }
}

export type NodeOptions = Partial<ReplicationOptions>;

/** One side: a simulated host with an image, on which an engine is opened at each start. */
export class SideNode {
  readonly host: SimulatedHost;
  readonly events: ReplicationEvent[] = [];
  /** What of its files a test holds back. */
  readonly held = new HeldCalls();
  readonly #world: SimulatedWorld;
  options: NodeOptions;
  engine!: Replication;
  disk!: ImageDisk;
  server!: ReturnType<SimulatedHost['serve']>;
  readonly #sectors: number;
  readonly #tls: PeerTls | undefined;
  opened!: Promise<number>;

  constructor(
    world: SimulatedWorld,
    address: string,
    options: NodeOptions,
    image: { readonly sectors: number; readonly fill: number } = { sectors: SECTORS, fill: 0 },
    tls?: PeerTls,
  ) {
    this.#world = world;
    this.#tls = tls;
    this.#sectors = image.sectors;
    this.options = options;
    this.host = world.host(address);
    this.host.files.put(IMAGE, new Uint8Array(image.sectors * SECTOR).fill(image.fill));
    this.host.boot(() => this.#boot());
  }

  /** Whether its process runs and has the engine open. */
  get isUp(): boolean {
    return this.host.isAlive && this.#isBooted && this.engine.isOpen;
  }
  #isBooted = false;
  #opening = new AbortController();

  /** The opening that is under way is not needed any more. */
  abort(): void {
    this.#opening.abort();
  }

  #boot(): void {
    const { host } = this;
    // The engine of the process before is not asked any more.
    this.#isBooted = false;
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    const server = host.serve();
    this.server = server;
    const completions = new Completions(server, host.posix, host.logger);
    const files = this.held.over(host.files.calls(completions));
    let resolve!: (result: number) => void;
    this.opened = new Promise((fulfil) => (resolve = fulfil));
    files.open(IMAGE, constants.O_RDWR, (fd) => {
      this.disk = new ImageDisk(files, fd, this.#sectors);
      this.engine = new Replication(
        {
          address: '10.0.0.2:9000',
          directory: DIRECTORY,
          checkpointIntervalSeconds: 0,
          journalBytes: 4 << 20,
          ...this.options,
        },
        {
          registrar: server,
          posix: host.posix,
          files,
          disk: this.disk,
          logger: host.logger,
          cPeers,
          signal,
          ...(this.#tls && { tls: this.#tls }),
          random: (bytes) => {
            for (let at = 0; at < bytes.length; at++) bytes[at] = this.#world.random.integer(0, 255);
          },
        },
      );
      this.#isBooted = true;
      this.engine.onEvent((event) => this.events.push(event));
      this.engine.open(resolve);
    });
  }

  /** Waits for an engine's call. */
  call(start: (done: Done) => void): Promise<number> {
    return this.#world.complete(new Promise<number>((resolve) => start(resolve)));
  }
  command(start: (done: (outcome: CommandOutcome) => void) => void): Promise<CommandOutcome> {
    return this.#world.complete(new Promise<CommandOutcome>((resolve) => start(resolve)));
  }

  write(sector: number, sectors: number, byte: number): Promise<number> {
    return this.call((done) => this.engine.write(sector, new Uint8Array(sectors * SECTOR).fill(byte), done));
  }
  async read(sector = 0, sectors = SECTORS): Promise<Buffer> {
    const buffer = Buffer.alloc(sectors * SECTOR);
    const result = await this.call((done) => this.engine.read(sector, buffer, done));
    if (result < 0) throw new Error(`read failed: ${result}`);
    return buffer;
  }
  checkpoint(): Promise<number> {
    return this.call((done) => this.engine.checkpoint(done));
  }
  until(state: string, limitSeconds = 60): Promise<void> {
    return this.#world.run(() => this.isUp && this.engine.status().state === state, {
      limitSeconds,
    });
  }
  image(): Uint8Array {
    return this.host.files.contents(IMAGE);
  }
}

export interface Pair {
  readonly world: SimulatedWorld;
  /** 10.0.0.1, the primary of a new pair. */
  readonly a: SideNode;
  /** 10.0.0.2, the backup of a new pair: it has the address. */
  readonly b: SideNode;
}

/** Two sides that have not met yet. What fails shows the trace's end. */
export function pair(t: Test, options: { a?: NodeOptions; b?: NodeOptions; seed?: number } = {}): Pair {
  const world = new SimulatedWorld({ seed: options.seed ?? 1, traceLines: 4000 });
  const b = new SideNode(world, '10.0.0.2', options.b ?? {});
  const a = new SideNode(world, '10.0.0.1', options.a ?? {});
  t.teardown(() => {
    if (!t.passing())
      t.comment(
        world.trace
          .toString()
          .split('\n')
          .filter((line) => !/timerfd|select/.test(line))
          .slice(-60)
          .join('\n'),
      );
  });
  return { world, a, b };
}
