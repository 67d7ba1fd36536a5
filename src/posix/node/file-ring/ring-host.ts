// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { nodeTimers, type Timers } from '../../timers.js';
import { sharedBuffers, type SharedBuffers } from '../shared-buffers.js';
import { FileRing, type FileRingParts } from './file-ring.js';
import { type StartThread, threadStarter } from './thread-handle.js';

/** How many threads all rings of a process have at most. */
export const MAX_RING_THREADS = 64;

/** What a user of a ring gives of {@link FileRingParts}. */
export type RingUser = Pick<FileRingParts, 'onEnded' | 'warn' | 'onGivenUp'>;

/**
 * What the rings of a process share: buffers, a bound on threads, and the knowledge whether threads are allowed at all
 * (Node's permission model refuses them without --allow-worker). Once one was refused none is tried again, and that is
 * reported once.
 */
export class RingHost {
  readonly buffers: SharedBuffers;
  readonly #timers: Timers;
  readonly #startThread: StartThread;
  #threads = 0;
  #refused = false;

  constructor(buffers: SharedBuffers, timers: Timers, start: StartThread) {
    this.buffers = buffers;
    this.#timers = timers;
    this.#startThread = start;
  }

  /** A ring that starts; undefined when there can be none. */
  open(user: RingUser): FileRing | undefined {
    const buffers = this.buffers.shared;
    if (this.buffers.fault !== undefined) this.#refuse(user, this.buffers.fault);
    if (this.#refused || buffers === undefined || this.#threads >= MAX_RING_THREADS) return undefined;
    try {
      return new FileRing({
        ...user,
        buffers,
        timers: this.#timers,
        startThread: (data, listener) => this.#start(data, listener),
        onGivenUp: (left, why) => {
          if (why === 'vain') this.#refuse(user, 'threads end at once');
          user.onGivenUp(left, why);
        },
      });
    } catch (error) {
      this.#refuse(user, (error as Error).message);
      return undefined;
    }
  }

  #start(...[data, listener]: Parameters<StartThread>): void {
    if (this.#threads >= MAX_RING_THREADS) throw new Error(`${MAX_RING_THREADS} threads are running`);
    this.#startThread(data, {
      ...listener,
      onEnd: (reason) => {
        this.#threads--;
        listener.onEnd(reason);
      },
    });
    this.#threads++;
  }

  #refuse(user: RingUser, reason: string): void {
    if (this.#refused) return;
    this.#refused = true;
    user.warn(`file calls use Node's thread pool, since threads of their own are not available: ${reason}`);
  }
}

/** The process's own. */
export const ringHost = new RingHost(sharedBuffers, nodeTimers, threadStarter());
