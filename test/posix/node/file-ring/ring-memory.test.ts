// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  completedWord,
  completionWord,
  HEAD,
  MAX_RING_WORKERS,
  RING_SLOTS,
  RingMemory,
  sleepingWord,
  stateWord,
  STOP,
  submissionWord,
  SUBMITTER_WAITS,
  TAIL,
  WORKER_WANTED,
} from '../../../../src/posix/node/file-ring/ring-memory.js';

t.test('every word of a ring has a place of its own, and every call its parts', async (t) => {
  const memory = new RingMemory();
  const slots = Array.from({ length: RING_SLOTS }, (_, slot) => slot);
  const workers = Array.from({ length: MAX_RING_WORKERS }, (_, worker) => worker);
  const words = [
    HEAD,
    TAIL,
    SUBMITTER_WAITS,
    STOP,
    WORKER_WANTED,
    ...slots.map(submissionWord),
    ...slots.map(stateWord),
    ...workers.flatMap((worker) => [
      sleepingWord(worker),
      completedWord(worker),
      ...slots.map((count) => completionWord(worker, count)),
    ]),
  ];
  // First the calls, then the words: either would be seen to overwrite the other.
  for (const slot of slots) {
    memory.set(slot, slot % 2, 1000 + slot, 2 ** 30 + slot, 2 ** 20 + slot, 2 ** 50 + slot);
    memory.setResult(slot, -1 - slot);
  }
  for (const [index, word] of words.entries()) memory.words.store(word, -5000 - index);
  t.same(
    words.map((word) => memory.words.load(word)),
    words.map((_, index) => -5000 - index),
  );
  t.same(
    slots.map((slot) => [
      memory.operation(slot),
      memory.fd(slot),
      memory.offset(slot),
      memory.length(slot),
      memory.position(slot),
      memory.result(slot),
    ]),
    slots.map((slot) => [slot % 2, 1000 + slot, 2 ** 30 + slot, 2 ** 20 + slot, 2 ** 50 + slot, -1 - slot]),
  );
});

t.test('counts go round: a queue has as many places as there are slots', async (t) => {
  t.same([RING_SLOTS, MAX_RING_WORKERS], [256, 8]);
  for (const count of [0, 5, 255]) {
    for (const later of [count + RING_SLOTS, count - 2 ** 31]) {
      t.equal(submissionWord(later), submissionWord(count));
      t.equal(completionWord(3, later), completionWord(3, count));
    }
  }
});

t.test('words that different threads write in turn lie in lines of 64 bytes of their own', async (t) => {
  const lines = [HEAD, TAIL, SUBMITTER_WAITS, STOP].map((word) => Math.floor(word / 16));
  for (let worker = 0; worker < MAX_RING_WORKERS; worker++) {
    t.equal(Math.floor(completedWord(worker) / 16), Math.floor(sleepingWord(worker) / 16));
    lines.push(Math.floor(sleepingWord(worker) / 16));
  }
  t.equal(new Set(lines).size, lines.length);
});

t.test('another thread has the same ring', async (t) => {
  const memory = new RingMemory();
  memory.set(7, 1, 3, 4, 5, 6);
  const other = new RingMemory(memory.shared);
  t.equal(other.position(7), 6);
  other.words.store(HEAD, 9);
  t.equal(memory.words.load(HEAD), 9);
});
