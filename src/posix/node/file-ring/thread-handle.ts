// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Worker } from 'node:worker_threads';
import type { ThreadData } from './thread.js';

/** Events of a ring's thread; each is called on the owner's thread. */
export interface ThreadListener {
  /** It serves the ring. */
  onStart(): void;
  /** Calls have ended. */
  onMessage(): void;
  /** It has ended, and accesses nothing any more. `reason`: its error, or its exit code. */
  onEnd(reason: string): void;
}

/** Starts a ring's thread, which does not hold the process alive. @throws Error where threads are not allowed */
export type StartThread = (data: ThreadData, listener: ThreadListener) => void;

/** Little, as its data is not on its heap. In MiB. */
const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 };

/** This file is a source when it is run by a loader, and its neighbour is one too. */
const program = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

/** @param created called with each worker, which a test may end */
export function threadStarter(
  started: string | URL = program,
  created: (worker: Worker) => void = () => {},
): StartThread {
  return (workerData, listener) => {
    const worker = new Worker(started, { workerData, resourceLimits, name: 'tapdisk-ts file calls' });
    let fault = '';
    worker.on('online', () => listener.onStart());
    worker.on('message', () => listener.onMessage());
    worker.on('error', (error: Error) => {
      fault = error.message;
    });
    worker.on('exit', (code) => listener.onEnd(fault || `exit code ${code}`));
    // The listener for messages holds the process alive unless this is said after it.
    worker.unref();
    created(worker);
  };
}
