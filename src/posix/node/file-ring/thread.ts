// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The program of a worker thread: it serves one ring until that is stopped.

import { parentPort, workerData } from 'node:worker_threads';
import { RingMemory } from './ring-memory.js';
import { RingWorker } from './ring-worker.js';
import { fileTransfer } from './transfer.js';

/** What a thread is started with. */
export interface ThreadData {
  readonly ring: SharedArrayBuffer;
  /** Where the data of calls lies. */
  readonly buffers: SharedArrayBuffer;
  readonly index: number;
}

const { ring, buffers, index } = workerData as ThreadData;
const memory = new RingMemory(ring);
new RingWorker(memory, index, {
  transfer: fileTransfer(memory, buffers),
  now: () => performance.now(),
  send: () => parentPort?.postMessage(0),
}).run();
