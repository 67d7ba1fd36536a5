// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  FileRing,
  type FileRingParts,
  type GiveUpReason,
} from '../../../../src/posix/node/file-ring/file-ring.js';
import { RingMemory, sleepingWord } from '../../../../src/posix/node/file-ring/ring-memory.js';
import { RingWorker } from '../../../../src/posix/node/file-ring/ring-worker.js';
import type { ThreadListener } from '../../../../src/posix/node/file-ring/thread-handle.js';
import type { Words } from '../../../../src/posix/node/file-ring/words.js';
import { ManualTimers } from '../../fixture.js';

/** The ring looks at the progress of its calls this often. */
export const WATCH_MS = 5;

/** Thrown where a thread would block. */
export class Asleep extends Error {}
/** Thrown in a call that its thread does not survive. */
class ThreadDied extends Error {}

/** A call as a thread made it: which operation, on which bytes of which file, alone or several joined. */
export interface MadeCall {
  readonly thread: number;
  readonly positions: readonly number[];
}

/** One of the ring's threads: the ring's own worker, which runs in the test's thread until it would block. */
class SteppedThread {
  readonly index: number;
  readonly listener: ThreadListener;
  readonly memory: RingMemory;
  readonly worker: RingWorker;
  hasEnded = false;

  constructor(ring: SteppedRing, shared: SharedArrayBuffer, index: number, listener: ThreadListener) {
    this.index = index;
    this.listener = listener;
    this.memory = new RingMemory(shared, withoutBlocking);
    this.worker = new RingWorker(this.memory, index, {
      transfer: (slots) => ring.transfer(this, slots),
      now: () => ring.nowMs,
      send: () => listener.onMessage(),
    });
  }

  get isAsleep(): boolean {
    return this.memory.words.load(sleepingWord(this.index)) === 1;
  }

  /** Lets it work until it sleeps, or ends. */
  run(): void {
    try {
      this.worker.run();
    } catch (error) {
      if (error instanceof Asleep) return;
      if (!(error instanceof ThreadDied)) throw error;
    }
    this.end('as the test wants it');
  }

  end(reason: string): void {
    this.hasEnded = true;
    this.listener.onEnd(reason);
  }
}

/** A ring whose threads take steps when the test says so, in time that the test lets pass. */
export class SteppedRing {
  readonly timers = new ManualTimers();
  readonly threads: SteppedThread[] = [];
  readonly made: MadeCall[] = [];
  readonly lines: string[] = [];
  readonly givenUp: { readonly left: readonly number[]; readonly why: GiveUpReason }[] = [];
  /** How often the ring has asked to be reaped. */
  notices = 0;
  /** The threads' clock. */
  nowMs = 0;
  /** How long each call takes. */
  callMs = 0;
  /** What a call results in; the bytes asked for unless it returns something else. */
  resultOf: (positions: readonly number[]) => number | 'dies' | undefined = () => undefined;
  /** Whether threads can be started. */
  mayStart = true;
  readonly ring: FileRing;
  readonly results: [position: number, result: number][] = [];

  /** @throws Error where threads are not allowed */
  constructor(options: { readonly mayStart?: boolean } = {}) {
    this.mayStart = options.mayStart ?? true;
    const parts: FileRingParts = {
      buffers: new SharedArrayBuffer(1 << 20),
      timers: this.timers,
      startThread: ({ ring, index }, listener) => {
        if (!this.mayStart) throw new Error('not allowed by the test');
        this.threads.push(new SteppedThread(this, ring, index, listener));
      },
      onEnded: () => (this.notices += 1),
      warn: (line) => void this.lines.push(line),
      onGivenUp: (left, why) => void this.givenUp.push({ left, why }),
    };
    this.ring = new FileRing(parts);
  }

  /** Lets the ring look at its threads' progress in a call, counted from 1. `onCall` gets the number of each. */
  watchInCall(watched: number, onCall: (call: number) => void = () => {}): void {
    let calls = 0;
    this.resultOf = () => {
      calls += 1;
      onCall(calls);
      if (calls === watched) this.timers.pass(WATCH_MS);
      return undefined;
    };
  }

  /** One whose first thread runs, and sleeps. */
  static running(): SteppedRing {
    const stepped = new SteppedRing();
    stepped.threads[0]?.listener.onStart();
    stepped.run();
    return stepped;
  }

  /** Submits a call for 512 bytes unless another length is given. */
  submit(position: number, { length = 512, operation = 0, fd = 3 } = {}): boolean {
    return this.ring.submit(operation, fd, position, length, position, (result) => {
      this.results.push([position, result]);
    });
  }

  /** Submits and publishes calls none of which adjoins another. */
  request(count: number): void {
    for (let call = 0; call < count; call++) this.submit(call * 1024);
    this.ring.publish();
  }

  /** Lets every thread work until all of them sleep. */
  run(): void {
    for (;;) {
      const busy = this.threads.find((thread) => !thread.hasEnded && !thread.isAsleep);
      if (busy === undefined) return;
      busy.run();
    }
  }

  transfer(thread: SteppedThread, slots: readonly number[]): number {
    const { memory } = thread;
    const positions = slots.map((slot) => memory.position(slot));
    this.made.push({ thread: thread.index, positions });
    this.nowMs += this.callMs;
    const result = this.resultOf(positions);
    if (result === 'dies') throw new ThreadDied();
    return result ?? slots.reduce((sum, slot) => sum + memory.length(slot), 0);
  }
}

/** The same words, but whoever would block on one throws. */
export function withoutBlocking(words: Words): Words {
  return {
    load: (index) => words.load(index),
    store: (index, value) => words.store(index, value),
    exchange: (index, value) => words.exchange(index, value),
    compareExchange: (index, expected, value) => words.compareExchange(index, expected, value),
    notify: (index) => words.notify(index),
    wait: (index, value) => {
      if (words.load(index) === value) throw new Asleep();
    },
  };
}
