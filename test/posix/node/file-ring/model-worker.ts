// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A worker of the modelled ring, in a thread of its own: the ring's own code, one atomic step at a time.

import { parentPort, workerData } from 'node:worker_threads';
import { RingMemory } from '../../../../src/posix/node/file-ring/ring-memory.js';
import { RingWorker } from '../../../../src/posix/node/file-ring/ring-worker.js';
import { Baton, Failed, Killed, SteppedWords } from './baton.js';
import { resultOf } from './ring-model.js';

export interface ModelWorkerData {
  readonly ring: SharedArrayBuffer;
  readonly baton: SharedArrayBuffer;
  /** By call: how often it was made. */
  readonly calls: SharedArrayBuffer;
  readonly index: number;
}

const { ring, baton: shared, calls, index } = workerData as ModelWorkerData;
const baton = new Baton(index + 1, shared);
const memory = new RingMemory(ring, (words) => new SteppedWords(words, baton));
const made = new Int32Array(calls);

const WRONG = 1000;

/** Calls that adjoin do not always succeed as one. */
function transfer(slots: readonly number[]): number {
  baton.step();
  const fails = slots.length > 1 && baton.below(4) === 0;
  let moved = 0;
  let end = memory.position(slots[0] as number);
  for (const slot of slots) {
    const call = memory.offset(slot);
    // What does not adjoin must not be made in one call: it would move other bytes than those asked for.
    if (memory.position(slot) !== end) made[call] = WRONG;
    end += memory.length(slot);
    if (!fails) made[call] = (made[call] as number) + 1;
    moved += slots.length > 1 ? memory.length(slot) : resultOf(call);
    baton.step();
  }
  return fails ? -5 : moved;
}

let time = 0;
const now = (): number => {
  time += baton.below(3) === 0 ? 5 : 0.001;
  return time;
};

parentPort?.postMessage('ready');
baton.awaitTurn();
for (;;) {
  try {
    // The thread is killed while it starts, perhaps.
    new RingWorker(memory, index, { transfer, now, send: () => baton.send() }).run();
  } catch (error) {
    if (!(error instanceof Killed || error instanceof Failed)) throw error;
  }
  baton.out();
}
