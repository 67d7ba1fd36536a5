// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import {
  completedWord,
  completionWord,
  HEAD,
  MAX_RING_WORKERS,
  RING_SLOTS,
  RingMemory,
  sleepingWord,
  stateWord,
  submissionWord,
  SUBMITTER_WAITS,
  TAKEN,
  WORKER_WANTED,
} from '../../../../src/posix/node/file-ring/ring-memory.js';
import { Submitter } from '../../../../src/posix/node/file-ring/submitter.js';
import { AtomicWords } from '../../../../src/posix/node/file-ring/words.js';

/** A submitter whose workers are what the test writes into the ring's words. */
function submitterAlone() {
  const notified: number[] = [];
  const memory = new RingMemory(undefined, (words) => ({
    load: (index) => words.load(index),
    store: (index, value) => words.store(index, value),
    exchange: (index, value) => words.exchange(index, value),
    compareExchange: (index, expected, value) => words.compareExchange(index, expected, value),
    wait: () => {},
    notify: (index) => void notified.push(index),
  }));
  const submitter = new Submitter(memory);
  const results: number[] = [];
  const submit = (position: number): boolean =>
    submitter.submit(0, 3, 0, 512, position, (result) => results.push(result));
  return {
    memory,
    words: new AtomicWords(new Int32Array(memory.shared)),
    submitter,
    notified,
    results,
    submit,
  };
}

t.test('a full queue takes no call, although the slot of one that overtook others is free', async (t) => {
  const { words, submitter, submit } = submitterAlone();
  for (let call = 0; call < RING_SLOTS; call++) t.equal(submit(call), true);
  submitter.publish();
  const slot = words.load(submissionWord(5));
  words.store(stateWord(slot), TAKEN);
  words.store(completionWord(0, 0), slot);
  words.store(completedWord(0), 1);
  t.equal(submitter.reap(1), 1);
  t.equal(submitter.outstanding, RING_SLOTS - 1);
  t.equal(submit(0), false, 'the first submission would be overwritten');
  words.store(HEAD, 1);
  t.equal(submit(0), true);
});

t.test('the end of a thread wakes all that it may have been about to wake', async (t) => {
  const { submitter, notified } = submitterAlone();
  submitter.endTaken(2, -errno.EIO);
  t.same(
    notified,
    Array.from({ length: MAX_RING_WORKERS }, (_, worker) => sleepingWord(worker)),
  );
});

t.test('a wish for another worker is taken once', async (t) => {
  const { words, submitter } = submitterAlone();
  t.equal(submitter.takeWish(), false);
  words.store(WORKER_WANTED, 1);
  t.equal(submitter.takeWish(), true);
  t.equal(submitter.takeWish(), false);
});

t.test('no message is awaited when a call has ended already', async (t) => {
  const { words, submitter, submit } = submitterAlone();
  submit(0);
  submitter.publish();
  t.equal(submitter.awaitMessage(), true);
  t.equal(words.load(SUBMITTER_WAITS), 1);
  words.store(completionWord(0, 0), words.load(submissionWord(0)));
  words.store(completedWord(0), 1);
  t.equal(submitter.awaitMessage(), false);
  t.equal(words.load(SUBMITTER_WAITS), 0);
});

t.test('each worker in turn is the first whose calls are completed', async (t) => {
  const { words, submitter, submit } = submitterAlone();
  for (let call = 0; call < 4; call++) submit(call);
  submitter.publish();
  for (const worker of [0, 1]) {
    for (const count of [0, 1])
      words.store(completionWord(worker, count), words.load(submissionWord(2 * worker + count)));
    words.store(completedWord(worker), 2);
  }
  const isFree = (call: number): boolean => words.load(stateWord(words.load(submissionWord(call)))) === 0;
  submitter.reap(1);
  submitter.reap(1);
  t.same([0, 1, 2, 3].map(isFree), [true, false, true, false]);
});
