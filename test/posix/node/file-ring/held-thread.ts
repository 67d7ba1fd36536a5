// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A ring's thread whose calls wait: each for some time, or until the test lets them go.

import { parentPort, workerData } from 'node:worker_threads';
import { RingMemory } from '../../../../src/posix/node/file-ring/ring-memory.js';
import { RingWorker } from '../../../../src/posix/node/file-ring/ring-worker.js';
import type { ThreadData } from '../../../../src/posix/node/file-ring/thread.js';
import { fileTransfer } from '../../../../src/posix/node/file-ring/transfer.js';

/** Words that the test shares with its threads. */
export const HELD = 0;
/** How long each call waits, in milliseconds. */
export const DELAY_MS = 1;
export const WAITING = 2;
export const MOST_WAITING = 3;

const { ring, buffers, index, control } = workerData as ThreadData & { readonly control: SharedArrayBuffer };
const words = new Int32Array(control);
const memory = new RingMemory(ring);
const transfer = fileTransfer(memory, buffers);

function waitFirst(): void {
  const waiting = Atomics.add(words, WAITING, 1) + 1;
  for (let most = Atomics.load(words, MOST_WAITING); waiting > most;) {
    if (Atomics.compareExchange(words, MOST_WAITING, most, waiting) === most) break;
    most = Atomics.load(words, MOST_WAITING);
  }
  if (Atomics.load(words, HELD) === 1) Atomics.wait(words, HELD, 1);
  const delay = Atomics.load(words, DELAY_MS);
  // Nobody changes the word: it is the time alone that ends this.
  if (delay > 0) Atomics.wait(words, DELAY_MS, delay, delay);
  Atomics.sub(words, WAITING, 1);
}

new RingWorker(memory, index, {
  transfer: (slots) => {
    waitFirst();
    return transfer(slots);
  },
  now: () => performance.now(),
  send: () => parentPort?.postMessage(0),
}).run();
