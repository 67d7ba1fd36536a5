// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  completedWord,
  HEAD,
  QUEUED,
  READ,
  RingMemory,
  sleepingWord,
  stateWord,
  STOP,
  TAKEN,
} from '../../../../src/posix/node/file-ring/ring-memory.js';
import { RingWorker } from '../../../../src/posix/node/file-ring/ring-worker.js';
import { Submitter } from '../../../../src/posix/node/file-ring/submitter.js';
import { AtomicWords } from '../../../../src/posix/node/file-ring/words.js';

const BYTES = 4096;
/** What a call of so many bytes may take and not be slow, in milliseconds. */
const QUICK_MS = 0.25 + BYTES * 1e-6;

interface Asked {
  readonly index?: number;
  /** How long each call takes, in milliseconds. */
  readonly callMs?: number;
  /** Called when a slot is about to be claimed. */
  readonly onClaim?: (slot: number) => void;
}

/**
 * A worker on the test's own thread. Its events: the positions of a call's parts, in blocks, and `sleep`; of which the first
 * `wakes` end at once and the next one stops the ring.
 */
function workerOf({ index = 0, callMs = 0, onClaim = () => {} }: Asked = {}) {
  const events: string[] = [];
  let nowMs = 0;
  let wakes = 0;
  const memory = new RingMemory(undefined, (inner) => ({
    load: (word) => inner.load(word),
    store: (word, value) => inner.store(word, value),
    exchange: (word, value) => inner.exchange(word, value),
    compareExchange: (word, expected, value) => {
      if (value === TAKEN + index && expected === QUEUED)
        onClaim((word - stateWord(0)) / (stateWord(1) - stateWord(0)));
      return inner.compareExchange(word, expected, value);
    },
    wait: () => {
      events.push('sleep');
      if (wakes-- === 0) inner.store(STOP, 1);
    },
    notify: () => {},
  }));
  const words = new AtomicWords(new Int32Array(memory.shared));
  const submitter = new Submitter(memory);
  const calls = {
    transfer: (slots: readonly number[]): number => {
      events.push(slots.map((slot) => memory.position(slot) / BYTES).join(' '));
      nowMs += callMs;
      return slots.length * BYTES;
    },
    now: () => nowMs,
    send: () => {},
  };
  /** Submits a call for each block, lets the worker run to its end, and returns the events. */
  const run = (blocks: readonly number[], sleeps = 0): string[] => {
    for (const block of blocks) submitter.submit(READ, 3, 0, BYTES, block * BYTES, () => {});
    submitter.publish();
    wakes = sleeps;
    new RingWorker(memory, index, calls).run();
    return events;
  };
  return { words, submitter, run };
}

t.test(
  'a call that was claimed to be joined, and does not adjoin, is made before the worker retires',
  async (t) => {
    const { words, run } = workerOf({
      index: 1,
      onClaim: (slot) => {
        if (slot !== 1) return;
        // The first worker was quicker, and has completed something.
        words.store(stateWord(slot), TAKEN);
        words.store(completedWord(0), 1);
      },
    });
    t.same(run([0, 1, 7]), ['0', '7', 'sleep']);
  },
);

t.test('a worker retires only when the first has got on since it looked last', async (t) => {
  const { words, run } = workerOf({ index: 1 });
  words.store(completedWord(0), 1);
  t.same(run([0, 2, 4], 1), ['0', 'sleep', '2', '4', 'sleep']);
});

t.test('the first worker does not retire', async (t) => {
  t.same(workerOf().run([0, 2, 4]), ['0', '2', '4', 'sleep']);
});

t.test('slow calls wake one other worker, and only while calls wait', async (t) => {
  for (const [blocks, awake] of [
    [[0, 2], 0],
    [[0, 2, 4], 1],
  ] as const) {
    const { words, submitter, run } = workerOf({ callMs: QUICK_MS + 0.01 });
    for (const worker of [1, 2]) words.store(sleepingWord(worker), 1);
    run(blocks);
    t.same(
      [1, 2].map((worker) => words.load(sleepingWord(worker))),
      [1 - awake, 1],
    );
    t.equal(submitter.takeWish(), false, 'there was one to be woken');
  }
});

t.test('where nobody sleeps, slow calls that wait ask for another worker', async (t) => {
  for (const [callMs, blocks, isWished] of [
    [QUICK_MS + 0.01, [0, 2, 4], true],
    [QUICK_MS + 0.01, [0, 2], false],
    [QUICK_MS, [0, 2, 4], false],
  ] as const) {
    const { submitter, words, run } = workerOf({ callMs });
    run(blocks);
    t.equal(submitter.takeWish(), isWished, `${callMs} ms each, ${blocks.length} calls`);
    t.equal(words.load(HEAD), blocks.length);
  }
});
