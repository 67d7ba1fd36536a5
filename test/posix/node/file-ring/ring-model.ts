// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { RingMemory } from '../../../../src/posix/node/file-ring/ring-memory.js';
import { Submitter } from '../../../../src/posix/node/file-ring/submitter.js';
import { moduleFile } from '../../../../scripts/program.js';
import { ACTORS, Baton, Failed, SteppedWords } from './baton.js';
import type { ModelWorkerData } from './model-worker.js';

const MAX_CALLS = 24;
const LOST = -5;
const CALL_BYTES = 512;

/** What a call of the model results in when it is made by itself: all of its bytes, or an errno. */
export const resultOf = (call: number): number => (call % 5 === 3 ? -28 : CALL_BYTES);

/**
 * Runs the submitter and three workers of a ring, which are threads with the ring's own code, in interleavings of their atomic
 * steps that seeds choose. Workers are killed and replaced at random steps.
 */
export class RingModel implements AsyncDisposable {
  readonly #baton = new Baton(0);
  readonly #memory = new RingMemory(undefined, (words) => new SteppedWords(words, this.#baton));
  readonly #made = new Int32Array(new SharedArrayBuffer(MAX_CALLS * 4));
  readonly #threads: Worker[] = [];

  static async create(): Promise<RingModel> {
    const model = new RingModel();
    await model.#start();
    return model;
  }

  /** @returns what went wrong with the seed; undefined when nothing did */
  run(seed: number): string | undefined {
    this.#baton.reset(seed);
    new Int32Array(this.#memory.shared).fill(0);
    this.#made.fill(0);
    try {
      return new ModelRun(this.#baton, this.#memory, this.#made).run();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.#baton.release();
      return error.message;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  async #start(): Promise<void> {
    for (let index = 0; index < ACTORS - 1; index++) {
      const workerData: ModelWorkerData = {
        ring: this.#memory.shared,
        baton: this.#baton.shared,
        calls: this.#made.buffer,
        index,
      };
      const file = moduleFile('test/posix/node/file-ring/model-worker.ts');
      this.#threads.push(new Worker(file, { workerData }));
    }
    await Promise.all(this.#threads.map((thread) => once(thread, 'message')));
  }
}

/** One seed: the submitter's program, and what is demanded of its calls. */
class ModelRun {
  readonly #baton: Baton;
  readonly #made: Int32Array;
  readonly #submitter: Submitter;
  readonly #results: number[][];
  readonly #calls: number;
  readonly #kills: boolean;
  readonly #ticks: boolean;
  #next = 0;

  constructor(baton: Baton, memory: RingMemory, made: Int32Array) {
    this.#baton = baton;
    this.#made = made;
    this.#calls = 1 + baton.below(MAX_CALLS);
    this.#kills = baton.below(4) === 0;
    this.#ticks = baton.below(2) === 0;
    this.#results = Array.from({ length: this.#calls }, () => []);
    this.#submitter = new Submitter(memory);
    const workers = 1 + baton.below(ACTORS - 1);
    for (let actor = 1; actor <= workers; actor++) baton.start(actor);
  }

  run(): string | undefined {
    while (this.#next < this.#calls || this.#submitter.outstanding > 0) this.#turn();
    // Nobody may be busy with nothing to do.
    while (!this.#baton.areOthersBlocked()) this.#baton.step();
    this.#submitter.stop();
    while (!this.#areAllOut()) this.#baton.step();
    return this.#fault();
  }

  /** What the submitter's thread does between two waits for messages. */
  #turn(): void {
    const batch = Math.min(this.#baton.below(6), this.#calls - this.#next);
    for (let count = 0; count < batch; count++) this.#submit();
    this.#submitter.publish();
    if (this.#kills && this.#baton.below(8) === 0) this.#killOne();
    if (this.#ticks && this.#baton.below(3) === 0) this.#submitter.wake(this.#baton.below(ACTORS - 1));
    if (this.#submitter.outstanding === 0) return;
    if (this.#submitter.awaitMessage()) this.#baton.receive();
    this.#submitter.reap(1 + this.#baton.below(8));
  }

  /** Half of the calls adjoin the one before. */
  #submit(): void {
    const call = this.#next++;
    const position = call * CALL_BYTES * (call % 4 < 2 ? 1 : 2);
    this.#submitter.submit(call % 2, 3, call, CALL_BYTES, position, (result) =>
      this.#results[call]?.push(result),
    );
  }

  #killOne(): void {
    const worker = this.#baton.below(ACTORS - 1);
    const actor = worker + 1;
    if (this.#baton.isOut(actor)) return;
    this.#baton.kill(actor);
    while (!this.#baton.isOut(actor)) this.#baton.step();
    this.#submitter.endTaken(worker, LOST);
    this.#baton.start(actor);
  }

  #areAllOut(): boolean {
    for (let actor = 1; actor < ACTORS; actor++) if (!this.#baton.isOut(actor)) return false;
    return true;
  }

  #fault(): string | undefined {
    for (const [call, results] of this.#results.entries()) {
      const [result] = results;
      const made = this.#made[call];
      if (results.length !== 1) return `call ${call} was completed ${results.length} times`;
      if (made !== 1 && !(this.#kills && result === LOST)) return `call ${call} was made ${made} times`;
      if (result !== resultOf(call) && !(this.#kills && result === LOST) && result !== CALL_BYTES) {
        return `call ${call} ended with ${result}`;
      }
    }
    return undefined;
  }
}

/** Runs so many seeds from `first` on. @returns what went wrong with the first that failed */
export async function checkRing(first: number, seeds: number): Promise<string | undefined> {
  await using model = await RingModel.create();
  for (let seed = first; seed < first + seeds; seed++) {
    const fault = model.run(seed);
    if (fault !== undefined) return `seed ${seed}: ${fault}`;
  }
  return undefined;
}
