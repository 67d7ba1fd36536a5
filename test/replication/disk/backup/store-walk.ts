// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../../src/posix/errno.js';
import { DEFAULT_FILE_TIMES } from '../../../../src/testing/files/host-files.js';
import type { CallFault, FileCallName, Random } from '../../../../src/testing/index.js';
import { tagged } from '../simulation/content.js';
import type { DiskContent } from '../simulation/history.js';
import { STORE_SECTORS, StoreHost } from './store-host.js';

/** As many extents as a record has, and some: writes of a burst go to the journal before the checkpoint is closed. */
const BURST = 260;
const GRAIN_SECTORS = 128;
const STEPS = 150;
const GENERATION = '00000000000000aa';

/**
 * What a primary may ask of a backup's store, at random, with crashes at any moment. The store has to show the last
 * checkpoint that was answered, and after a crash that or one that was asked for after it, with nothing of what was aborted.
 */
export class StoreWalk {
  readonly #side: StoreHost;
  readonly #random: Random;
  /** What each checkpoint is that was asked for, from the last one that was answered on. */
  #states: DiskContent[] = [new Uint32Array(STORE_SECTORS)];
  /** Written since the last checkpoint was asked for: the tags of sectors. */
  #open = new Map<number, number>();
  #epoch = 0;
  #tag = 0;
  /** A resync is being brought, or its checkpoint committed: no other commit and no abort comes in between. */
  #isSyncing = false;
  /** Its checkpoint is being committed: nothing comes at all. */
  #isWaiting = false;
  #process = 0;
  /** Some file call was made to fail, in this process. */
  #fault: CallFault<FileCallName> | undefined;
  readonly wrong: string[] = [];
  /** How often what is committed was looked at after a crash. */
  crashes = 0;

  constructor(seed: number) {
    this.#side = new StoreHost(seed);
    this.#random = this.#side.world.random.fork();
  }

  async run(steps: number): Promise<void> {
    try {
      await this.#side.opened();
      for (let left = steps; left > 0 && this.wrong.length === 0; left--) await this.#step();
      if (this.wrong.length === 0) await this.#crash();
    } catch (error) {
      this.wrong.push(String(error));
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const { world, failure } = this.#side;
    const what = random.pick([
      'burst',
      'burst',
      'burst',
      'write',
      'zero',
      'commit',
      'commit',
      'commit',
      'abort',
      'look',
      'hold',
      'sync',
      'slow',
      'crash',
      'fail',
    ] as const);
    if (failure !== undefined || what === 'crash') {
      if (failure !== undefined && !this.#fault) this.wrong.push(`failed for no reason: ${failure}`);
      await this.#crash();
    } else if (what === 'look' || what === 'hold') {
      await this.#look(what === 'hold' ? random.between(0, 0.2) : 0);
    } else if (what === 'slow') {
      const syncSeconds = random.pick([0.0001, DEFAULT_FILE_TIMES.syncSeconds, 0.05]);
      this.#side.host.files.shape({ syncSeconds });
    } else if (what === 'fail') {
      if (this.#fault === undefined && random.chance(0.2)) this.#fail();
    } else {
      this.#ask(what);
    }
    if (random.chance(0.6)) await world.run(random.between(0, 0.01));
  }

  /** What comes over a connection, which waits as long as there is no room. */
  #ask(what: 'burst' | 'write' | 'zero' | 'commit' | 'abort' | 'sync'): void {
    const store = this.#side.role?.store;
    if (store === undefined || this.#isWaiting) return;
    if (!store.hasRoom) {
      // What is larger than the journal is given up.
      if (store.isFull && !this.#isSyncing) this.#abort();
      return;
    }
    const random = this.#random;
    switch (what) {
      case 'burst':
        for (let count = 0; count < BURST; count++) this.#write(random.integer(0, STORE_SECTORS / 2) * 2, 1);
        break;
      case 'write':
        this.#write(random.integer(0, STORE_SECTORS - 65), random.integer(1, 64));
        break;
      case 'zero': {
        const [sector, sectors] = [random.integer(0, STORE_SECTORS - 65), random.integer(1, 64)];
        store.zero(sector, sectors);
        for (let at = sector; at < sector + sectors; at++) this.#open.set(at, 0);
        break;
      }
      case 'commit':
        if (!this.#isSyncing) this.#commit();
        break;
      case 'abort':
        if (!this.#isSyncing) this.#abort();
        break;
      case 'sync':
        if (!this.#isSyncing) void this.#sync();
        break;
    }
  }

  #write(sector: number, sectors: number): void {
    if (sector + sectors > STORE_SECTORS) return;
    const tag = ++this.#tag;
    this.#side.role?.store.write(sector, tagged(tag, sectors));
    for (let at = sector; at < sector + sectors; at++) this.#open.set(at, tag);
  }

  #commit(
    slots: ReadonlyMap<number, number> = new Map(),
    target?: Parameters<typeof this.commitOf>[1],
  ): void {
    const state = Uint32Array.from(this.#states.at(-1) as DiskContent);
    for (const [sector, tag] of [...slots, ...this.#open]) state[sector] = tag;
    this.#open.clear();
    this.#states.push(state);
    const process = this.#process;
    this.commitOf(++this.#epoch, target, (result) => {
      if (process !== this.#process) return;
      if (target) this.#isSyncing = this.#isWaiting = false;
      // Those before it were answered before it.
      if (result === 0) this.#states = this.#states.slice(this.#states.indexOf(state));
      else if (result === -errno.ECANCELED) this.#states.pop();
      else if (!this.#fault) this.wrong.push(`a commit ends with ${result}`);
    });
  }

  commitOf(
    epoch: number,
    target: Awaited<ReturnType<NonNullable<StoreHost['role']>['beginSync']>> | undefined,
    done: (result: number) => void,
  ): void {
    this.#side.role?.commit(epoch, GENERATION, target, done);
  }

  #abort(): void {
    this.#open.clear();
    this.#side.role?.store.abort();
  }

  /** Some grains come beside the checkpoint that is open, and are committed with it. */
  async #sync(): Promise<void> {
    const process = this.#process;
    const { role } = this.#side;
    const random = this.#random;
    this.#isSyncing = true;
    try {
      const grains = random.integer(1, 6);
      const id = random.word().toString(16).padStart(16, '0');
      const target = await role?.beginSync(id, grains, false);
      if (!target || process !== this.#process) return;
      const slots = new Map<number, number>();
      for (let count = 0; count < grains; count++) {
        const sector = random.integer(0, STORE_SECTORS / GRAIN_SECTORS - 1) * GRAIN_SECTORS;
        const tag = random.chance(0.2) ? 0 : ++this.#tag;
        const result = await new Promise<number>((resolve) => {
          if (tag === 0) target.zero(sector, GRAIN_SECTORS, resolve);
          else target.write(sector, tagged(tag, GRAIN_SECTORS), resolve);
        });
        if (result < 0) throw new Error(`a grain cannot be written: ${result}`);
        for (let at = sector; at < sector + GRAIN_SECTORS; at++) slots.set(at, tag);
      }
      if (process !== this.#process) return;
      this.#isWaiting = true;
      this.#commit(slots, target);
    } catch (error) {
      if (process !== this.#process) return;
      // The connection ends, and with it what is open; another resync begins anew.
      this.#isSyncing = false;
      this.#abort();
      if (!this.#fault) this.wrong.push(`a resync: ${String(error)}`);
    }
  }

  async #look(holdSeconds: number): Promise<void> {
    const { world } = this.#side;
    const { read, release } = this.#side.look();
    const [expected] = this.#states;
    const first = await world.complete(read());
    await world.run(holdSeconds);
    const again = await world.complete(read());
    release();
    for (const shown of [first, again]) {
      if (typeof shown === 'number') {
        if (!this.#fault) this.wrong.push(`cannot be read: ${shown}`);
      } else {
        const sector = different(shown, expected as DiskContent);
        if (sector >= 0)
          this.wrong.push(`sector ${sector} is ${shown[sector]}, expected ${expected?.[sector]}`);
      }
    }
  }

  #fail(): void {
    this.#fault = this.#side.host.files.failCalls({
      calls: ['write', 'fdatasync'],
      nth: this.#random.integer(1, 30),
      error: () => errno.EIO,
    });
  }

  /** After a call that failed the power goes too: the page cache may say more than the medium has. */
  async #crash(): Promise<void> {
    const { world, host } = this.#side;
    const kind = this.#fault || this.#random.chance(0.7) ? 'silence' : 'end of file';
    this.#side.crash(kind);
    this.#process += 1;
    this.#isSyncing = this.#isWaiting = false;
    this.#fault?.cancel();
    this.#fault = undefined;
    host.files.shape(DEFAULT_FILE_TIMES);
    host.restart();
    await this.#side.opened();
    this.crashes += 1;
    const { read, release } = this.#side.look();
    const shown = await world.complete(read());
    release();
    if (typeof shown === 'number') {
      this.wrong.push(`cannot be read after a crash: ${shown}`);
      return;
    }
    const found = this.#states.findLastIndex((state) => different(shown, state) < 0);
    if (found < 0) {
      const at = this.#states.map((state) => different(shown, state));
      this.wrong.push(
        `after a crash (${kind}), sectors ${at.join()} are not as in the checkpoints 0 to ${at.length - 1}`,
      );
    }
    this.#states = [shown];
    this.#open.clear();
  }
}

export interface WalksReport {
  readonly walks: number;
  readonly crashes: number;
  readonly failures: readonly string[];
}

/** Walks with seeds from one on: so many, and more until it has taken so long. */
export async function walkStores(first: number, least: number, milliseconds = 0): Promise<WalksReport> {
  const end = performance.now() + milliseconds;
  const failures: string[] = [];
  let [walks, crashes] = [0, 0];
  for (let seed = first; walks < least || performance.now() < end; seed++) {
    const store = new StoreWalk(seed);
    await store.run(STEPS);
    if (store.wrong.length > 0) failures.push(`walk ${seed}: ${store.wrong.join('; ')}`);
    walks += 1;
    crashes += store.crashes;
  }
  return { walks, crashes, failures };
}

/** The first sector that differs; -1: none does. */
function different(one: DiskContent, other: DiskContent): number {
  if (Buffer.compare(bytesOf(one), bytesOf(other)) === 0) return -1;
  return one.findIndex((tag, sector) => tag !== other[sector]);
}

function bytesOf({ buffer, byteOffset, byteLength }: DiskContent): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
