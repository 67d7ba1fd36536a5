// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SimulatedWorld, type CrashKind } from '../../../src/testing/index.js';
import { Era } from './era.js';
import { SECTORS, SideNode } from './world.js';

const SECTOR = 512;

/** A primary and its backup, what befalls them, and what has to hold of the backup whatever that is. */
export class Life {
  readonly world: SimulatedWorld;
  readonly a: SideNode;
  readonly b: SideNode;
  #eras: Era[];
  /** What was answered `done` last: the backup must not be older. */
  #done = { era: 0, count: 0 };
  #isWriting = false;
  checks = 0;
  acked = 0;

  constructor(seed: number, options: { a?: object; b?: object } = {}) {
    this.world = new SimulatedWorld({ seed, traceLines: 6000 });
    this.b = new SideNode(this.world, '10.0.0.2', {
      journalBytes: 1_500_000,
      memoryBytes: 600_000,
      ...options.b,
    });
    this.a = new SideNode(this.world, '10.0.0.1', { stallSeconds: 1, ...options.a });
    this.#eras = [new Era(this.a.image(), 1)];
  }

  get #era(): Era {
    return this.#eras.at(-1) as Era;
  }

  /** Begins a write, unless one is under way. */
  write(): void {
    const { random } = this.world;
    if (this.#isWriting || !this.a.isUp) return;
    const sectors = random.integer(1, random.chance(0.2) ? 512 : 16);
    const sector = random.integer(0, SECTORS - sectors);
    const bytes = this.#era.write(sector, sectors);
    this.#isWriting = true;
    const era = this.#era;
    this.a.engine.write(sector, bytes, (result) => {
      if (era === this.#era) this.#isWriting = false;
      if (result < 0) throw new Error(`a write failed: ${result}`);
    });
  }

  /** Asks for a checkpoint; once it is answered, the backup has every write that had ended by now. */
  checkpoint(): void {
    if (!this.a.isUp) return;
    const era = this.#eras.length - 1;
    const count = this.#era.next - this.#era.first - (this.#isWriting ? 1 : 0);
    this.a.engine.checkpoint((result) => {
      if (result < 0) return;
      this.acked += 1;
      const older = era < this.#done.era || (era === this.#done.era && count < this.#done.count);
      if (!older) this.#done = { era, count };
    });
  }

  crash(side: SideNode, kind: CrashKind): void {
    if (!side.host.isAlive) return;
    side.host.crash(kind);
    if (side !== this.a) return;
    // What a power failure has left is what the primary goes on with.
    this.#eras.push(new Era(this.a.image(), this.#era.next));
    this.#isWriting = false;
  }

  /** @throws Error when the backup's state is not a checkpoint, or older than what was answered */
  async check(): Promise<void> {
    const { b } = this;
    if (!b.isUp) return;
    const { state, lastError } = b.engine.status();
    if (state === 'failed') throw new Error(`the backup failed: ${lastError}`);
    if (state !== 'backup') {
      if (this.acked > 0) throw new Error(`the backup is ${state} after a checkpoint was answered`);
      return;
    }
    const doneBefore = this.#done;
    // A read while checkpoints are applied may have sectors of two: the view stays at one.
    const shown = await this.world.complete(
      new Promise<Buffer>((resolve, reject) => {
        b.engine.openCheckpoint((result, view) => {
          if (!view) {
            reject(new Error(`no view: ${result}`));
            return;
          }
          const buffer = Buffer.alloc(SECTORS * SECTOR);
          view.read(0, buffer, (read) => {
            view.close();
            if (read < 0) reject(new Error(`a view cannot be read: ${read}`));
            else resolve(buffer);
          });
        });
      }),
    );
    this.checks += 1;
    for (let era = this.#eras.length - 1; era >= doneBefore.era; era--) {
      const count = this.#eras[era]?.prefixOf(shown) ?? -1;
      if (count < 0) continue;
      if (era === doneBefore.era && count < doneBefore.count) {
        throw new Error(
          `the backup has ${count} writes of era ${era}, but ${doneBefore.count} were answered`,
        );
      }
      return;
    }
    const nearest = this.#eras.map((era) => {
      let best: string[] | undefined;
      for (let count = 0; count <= era.next - era.first; count++) {
        const found = era.differences(shown, count);
        if (best === undefined || found.length < best.length) best = [`after ${count}`, ...found];
      }
      return `${era.first}: ${best?.slice(0, 6).join('; ')} (${best?.length})`;
    });
    throw new Error(`the backup shows no state that the primary ever had: ${nearest.join('\n')}`);
  }

  /** Starts what has crashed, mostly. */
  restartSome(): void {
    for (const side of [this.a, this.b]) {
      if (!side.host.isAlive && this.world.random.chance(0.7)) side.host.restart();
    }
  }

  /** All is well again: both sides end up equal. @throws Error when they do not */
  async end(): Promise<void> {
    const { world, a, b } = this;
    world.heal();
    for (const side of [a, b]) if (!side.host.isAlive) side.host.restart();
    await a.until('protected', 300);
    this.write();
    await world.run(1);
    // The loss of a backup that has crashed just now is noticed by the checkpoint.
    while ((await a.checkpoint()) < 0) {
      await world.run(7);
      await a.until('protected', 300);
    }
    await this.check();
    if (!(await a.read()).equals(await b.read())) throw new Error('the sides are different in the end');
  }
}
