// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Random, SimulatedWorld } from '../../src/testing/index.js';
import { SideNode } from '../replication/disk/world.js';
import { Meddler } from './meddler.js';

const SECTORS = 512;
const FILL = 3;
const OPTIONS = { journalBytes: 1 << 20 } as const;
/** Virtual seconds in which a call of the guest's has to end, whatever the backup does. */
const CALL_SECONDS = 60;
/** What an engine with its files and a connection may have open at most. */
const MAX_DESCRIPTORS = 32;

/** A primary, its backup, and between them somebody who makes a liar of one. */
export class MeddledLife {
  readonly random: Random;
  readonly primary: SideNode;
  readonly backup: SideNode;
  readonly meddler: Meddler;
  #checkpoints = 0;
  readonly #image = Buffer.alloc(SECTORS * 512, FILL);

  constructor(seed: number, liar: 'primary' | 'backup' = 'backup') {
    this.random = new Random(seed);
    const world = new SimulatedWorld({ seed, traceLines: 100 });
    const image = { sectors: SECTORS, fill: FILL };
    const blank = { sectors: SECTORS, fill: 0 };
    this.backup = new SideNode(world, '10.0.0.3', { ...OPTIONS, address: '10.0.0.3:9000' }, blank);
    this.meddler = new Meddler({ world, address: '10.0.0.2', backup: '10.0.0.3', liar, random: this.random });
    this.primary = new SideNode(world, '10.0.0.1', { ...OPTIONS, role: 'primary' }, image);
  }

  /** @throws (rejects with) Error when the primary does not reach a state in time */
  async until(state: string): Promise<void> {
    for (let passed = 0; passed < CALL_SECONDS; passed += 0.1) {
      if (this.primary.isUp && this.primary.engine.status().state === state) return;
      await this.meddler.run(0.1);
    }
    throw new Error(`the primary is not ${state} after ${CALL_SECONDS} s`);
  }

  /** Waits for a call of the primary's, the backup doing what it likes. @throws (rejects with) Error when it does not end */
  async ended(what: string, start: (done: (result: number) => void) => void): Promise<number> {
    const results: number[] = [];
    start((result) => void results.push(result));
    for (let passed = 0; passed < CALL_SECONDS; passed += 0.02) {
      const [result] = results;
      if (result !== undefined) return result;
      await this.meddler.run(0.02);
    }
    throw new Error(`the ${what} has not ended after ${CALL_SECONDS} s`);
  }

  /** Asks for a checkpoint. A backup that lives and says nothing of it keeps it waiting, and nobody else. */
  async checkpoint(): Promise<void> {
    this.#checkpoints += 1;
    this.primary.engine.checkpoint(() => {
      this.#checkpoints -= 1;
    });
    await this.meddler.run(0.1);
  }

  async write(): Promise<void> {
    const sectors = this.random.integer(1, 32);
    const sector = this.random.integer(0, SECTORS - sectors);
    const byte = this.random.integer(0, 255);
    this.#image.fill(byte, sector * 512, (sector + sectors) * 512);
    const bytes = new Uint8Array(sectors * 512).fill(byte);
    const result = await this.ended('write', (done) => this.primary.engine.write(sector, bytes, done));
    if (result < 0) throw new Error(`a write failed with ${result}`);
  }

  /** What the backup says costs the guest nothing. @throws (rejects with) Error otherwise */
  async check(): Promise<void> {
    const shown = Buffer.alloc(SECTORS * 512);
    const result = await this.ended('read', (done) => this.primary.engine.read(0, shown, done));
    if (result < 0) throw new Error(`a read failed with ${result}`);
    if (!shown.equals(this.#image)) throw new Error('the disk is not what was written');
    const open = this.primary.host.posix.openDescriptors().length;
    if (open > MAX_DESCRIPTORS) throw new Error(`${open} descriptors are open`);
  }

  /** @throws (rejects with) Error when the backup does not show what was written */
  async checkBackup(): Promise<void> {
    const shown = await this.backup.read(0, SECTORS);
    if (!shown.equals(this.#image)) throw new Error('the backup has not what was written');
  }

  /** @throws (rejects with) Error when something is left open */
  async close({ engine, host: { posix } }: SideNode): Promise<void> {
    const result = await this.ended('close', (done) => engine.close(done));
    if (result < 0) throw new Error(`the close ends with ${result}`);
    if (engine === this.primary.engine && this.#checkpoints > 0) {
      throw new Error(`${this.#checkpoints} checkpoints have not ended with the engine`);
    }
    await this.meddler.run(0.1);
    const left = posix.openDescriptors().filter(({ description }) => !/eventfd|counter/.test(description));
    if (left.length > 0)
      throw new Error(`left open: ${left.map(({ description }) => description).join(', ')}`);
  }
}

/** A primary under a guest, its backup a liar now and then. @throws (rejects with) Error when something that must hold does not */
export async function liveMeddled(random: Random): Promise<void> {
  const seed = random.word();
  const life = new MeddledLife(seed);
  try {
    if (life.random.chance(0.5)) await life.until('protected');
    else await life.meddler.run(0.5);
    life.meddler.chance = life.random.pick([0.02, 0.1, 0.5]);
    for (let steps = life.random.integer(2, 10); steps > 0; steps--) {
      await life.write();
      const what = life.random.integer(0, 5);
      if (what < 3) await life.checkpoint();
      else if (what === 3) life.meddler.drop();
      else if (what === 4) await life.meddler.run(life.random.pick([0.05, 1, 7]));
      await life.check();
    }
    await life.close(life.primary);
  } catch (error) {
    throw new Error(`a life of seed ${seed}`, { cause: error });
  }
}

/** A backup whose primary is a liar now and then. @throws (rejects with) Error when something that must hold does not */
export async function liveUnderLiar(random: Random): Promise<void> {
  const seed = random.word();
  const life = new MeddledLife(seed, 'primary');
  const { backup, primary, meddler } = life;
  try {
    if (life.random.chance(0.5)) await life.until('protected');
    else await meddler.run(0.5);
    meddler.chance = life.random.pick([0.02, 0.1, 0.5]);
    for (let steps = life.random.integer(2, 10); steps > 0; steps--) {
      await life.write();
      const what = life.random.integer(0, 5);
      if (what < 4) await life.checkpoint();
      else await meddler.run(life.random.pick([0.05, 1, 7]));
      const shown = Buffer.alloc(512);
      const result = await life.ended('read', (done) => backup.engine.read(0, shown, done));
      if (result < 0) throw new Error(`a read of the backup failed with ${result}`);
      const open = backup.host.posix.openDescriptors().length;
      if (open > MAX_DESCRIPTORS) throw new Error(`${open} descriptors are open`);
      const { state, reason } = backup.engine.status();
      if (state === 'failed') throw new Error(`the backup has failed: ${reason}`);
    }
    await life.close(primary);
    await life.close(backup);
  } catch (error) {
    throw new Error(`a life of seed ${seed}`, { cause: error });
  }
}

/** A whole life with a backup that says what is so. @throws (rejects with) Error when it does not go well */
export async function liveInPeace(): Promise<void> {
  const life = new MeddledLife(1);
  await life.until('protected');
  await life.write();
  const epoch = await life.ended('checkpoint', (done) => life.primary.engine.checkpoint(done));
  if (epoch <= 0) throw new Error(`the checkpoint ends with ${epoch}`);
  await life.meddler.run(1);
  await life.checkBackup();
  await life.close(life.primary);
  await life.close(life.backup);
}
