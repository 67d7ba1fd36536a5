// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs';
import t, { type Test } from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { RingFiles } from '../../../../src/posix/node/file-ring/ring-files.js';
import { RingHost } from '../../../../src/posix/node/file-ring/ring-host.js';
import { MAX_RING_WORKERS, RingMemory } from '../../../../src/posix/node/file-ring/ring-memory.js';
import { RingWorker } from '../../../../src/posix/node/file-ring/ring-worker.js';
import type { ThreadListener } from '../../../../src/posix/node/file-ring/thread-handle.js';
import { SharedBuffers } from '../../../../src/posix/node/shared-buffers.js';
import type { Timers } from '../../../../src/posix/timers.js';
import { Random } from '../../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../../random.js';
import { ManualTimers } from '../../fixture.js';
import { CALL_BYTES, heldThreads, readMany, ringWorld, told, warmUp } from './ring-world.js';
import { Asleep, withoutBlocking } from './stepped-ring.js';

const FILE_BYTES = 64 * CALL_BYTES;
/** Words of the control of held threads. */
const HELD = 0;
const DELAY_MS = 1;
const WAITING = 2;
const MOST_WAITING = 3;

/** Timers that go off when the test says so. */
function stoppedTimers(): { readonly timers: Timers; readonly fire: () => void } {
  const due: (() => void)[] = [];
  const handle = { ref: () => {}, unref: () => {} };
  const timers: Timers = {
    now: () => performance.now(),
    setTimeout: (callback) => {
      due.push(callback);
      return handle;
    },
    clearTimeout: () => {},
  };
  return { timers, fire: () => due.splice(0).forEach((callback) => callback()) };
}

void t.test(
  'what is written at once, some of it side by side, is in the file and is read again',
  async (t) => {
    const world = ringWorld(t);
    const random = new Random(randomSeed(t));
    const fd = world.open(FILE_BYTES);
    const files = world.files();
    await warmUp(world, files, fd);
    const model = Buffer.alloc(FILE_BYTES);
    for (let round = 0; round < 40; round++) {
      const places = Array.from({ length: 64 }, (_, place) => place).filter(() => random.word() % 3 === 0);
      const results = await Promise.all(
        places.map((place) => {
          const buffer = world.buffers.take(CALL_BYTES);
          buffer.set(randomBytes(random, CALL_BYTES));
          model.set(buffer, place * CALL_BYTES);
          return told((done) => files.write(fd, buffer, place * CALL_BYTES, done)).finally(() =>
            world.buffers.give(buffer),
          );
        }),
      );
      t.ok(results.every((result) => result === CALL_BYTES));
      const read = await Promise.all(
        places.map(async (place) => {
          const buffer = world.buffers.take(CALL_BYTES).fill(0xee);
          await told((done) => files.read(fd, buffer, place * CALL_BYTES, done));
          const same = buffer.equals(model.subarray(place * CALL_BYTES, (place + 1) * CALL_BYTES));
          world.buffers.give(buffer);
          return same;
        }),
      );
      t.ok(read.every(Boolean));
    }
    const whole = Buffer.alloc(FILE_BYTES);
    readSync(fd, whole, 0, FILE_BYTES, 0);
    t.ok(whole.equals(model));
    t.strictSame(world.lines, []);
  },
);

void t.test('a read is short at the end of the file, even if merged with others', async (t) => {
  const world = ringWorld(t);
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  ftruncateSync(fd, CALL_BYTES * 2 + 100);
  const results = await Promise.all(
    [0, 1, 2, 3].map((place) => {
      const buffer = world.buffers.take(CALL_BYTES);
      return told((done) => files.read(fd, buffer, place * CALL_BYTES, done));
    }),
  );
  t.strictSame(results, [CALL_BYTES, CALL_BYTES, 100, 0]);
});

void t.test('the errno of a call is its result', async (t) => {
  const world = ringWorld(t);
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  const NO_FD = 999_999;
  t.strictSame(
    await readMany(world, files, NO_FD, 4),
    Array.from({ length: 4 }, () => -errno.EBADF),
  );
});

void t.test('a call with an invalid position in the file is refused, also among others', async (t) => {
  const world = ringWorld(t);
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  const results = await Promise.all(
    [0, -1, 0.5, 2 ** 53].map((position) =>
      told((done) => files.read(fd, world.buffers.take(CALL_BYTES), position, done)),
    ),
  );
  t.strictSame(results, [CALL_BYTES, -errno.EINVAL, -errno.EINVAL, -errno.EFBIG]);
});

void t.test('a ring is not used for memory that was shared after it began', async (t) => {
  const world = ringWorld(t);
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  const before = world.buffers.take(CALL_BYTES).fill(0xee);
  world.buffers[Symbol.dispose]();
  const after = [0, 1].map(() => world.buffers.take(CALL_BYTES).fill(0x77));
  t.not(after[0]?.buffer, before.buffer);
  const results = await Promise.all(
    after.map((buffer, index) => told((done) => files.write(fd, buffer, index * 2 * CALL_BYTES, done))),
  );
  t.strictSame(results, [CALL_BYTES, CALL_BYTES]);
  const written = Buffer.alloc(3 * CALL_BYTES);
  readSync(fd, written, 0, written.length, 0);
  t.ok(written.subarray(0, CALL_BYTES).equals(after[0] as Buffer));
  t.ok(written.subarray(2 * CALL_BYTES).equals(after[1] as Buffer));
});

void t.test('a single call, or one whose memory is not shared, needs no thread', async (t) => {
  const world = ringWorld(t);
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  for (let count = 0; count < 100; count++) t.strictSame(await readMany(world, files, fd, 1), [CALL_BYTES]);
  for (let count = 0; count < 100; count++) {
    const results = await Promise.all(
      [0, 2].map((place) => told((done) => files.read(fd, Buffer.alloc(CALL_BYTES), place, done))),
    );
    t.strictSame(results, [CALL_BYTES, CALL_BYTES]);
  }
  t.equal(world.workers.length, 0);
});

void t.test('a call alone needs no thread, also where there is one', async (t) => {
  const world = ringWorld(t, { start: heldThreads });
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  await readMany(world, files, fd, 2);
  Atomics.store(world.control, HELD, 1);
  for (let count = 0; count < 3; count++) t.strictSame(await readMany(world, files, fd, 1), [CALL_BYTES]);
  t.equal(Atomics.load(world.control, WAITING), 0);
});

void t.test(
  'a thread that ends fails the calls it had, is reported and replaced; the others wait for the next',
  async (t) => {
    const world = ringWorld(t, { start: heldThreads });
    const fd = world.open(FILE_BYTES);
    const files = world.files();
    await warmUp(world, files, fd);
    t.strictSame(
      await readMany(world, files, fd, 4),
      Array.from({ length: 4 }, () => CALL_BYTES),
    );
    Atomics.store(world.control, HELD, 1);
    const results = readMany(world, files, fd, 8);
    while (Atomics.load(world.control, WAITING) === 0) await new Promise(setImmediate);
    const threads = world.workers.length;
    await world.workers[0]?.terminate();
    Atomics.store(world.control, HELD, 0);
    Atomics.notify(world.control, HELD);
    const failed = (await results).filter((result) => result === -errno.EIO);
    t.equal(failed.length, 1, 'one call was under way in the thread that ended');
    t.equal((await results).filter((result) => result === CALL_BYTES).length, 7);
    t.ok(world.workers.length > threads, 'there is another');
    t.match(world.lines, [/a thread for file calls ended .*; 1 calls failed with EIO/]);
    t.strictSame(
      await readMany(world, files, fd, 4),
      Array.from({ length: 4 }, () => CALL_BYTES),
    );
  },
);

void t.test(
  'where threads cannot be started all calls are made all the same, and that is said once',
  async (t) => {
    const world = ringWorld(t, {
      start: () => () => {
        throw new Error('not allowed by the test');
      },
    });
    const fd = world.open(FILE_BYTES);
    for (const files of [world.files(), world.files()]) {
      for (let turn = 0; turn < 50; turn++) {
        t.strictSame(await readMany(world, files, fd, 2), [CALL_BYTES, CALL_BYTES]);
      }
    }
    t.strictSame(world.lines, [
      "file calls use Node's thread pool, since threads of their own are not available: not allowed by the test",
    ]);
  },
);

void t.test('if threads end as soon as they start, no more are started after a few', async (t) => {
  let starts = 0;
  const world = ringWorld(t, {
    start: () => (_, listener) => {
      starts++;
      setImmediate(() => listener.onEnd('ended by the test'));
    },
  });
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  for (let turn = 0; turn < 100; turn++) {
    t.strictSame(await readMany(world, files, fd, 2), [CALL_BYTES, CALL_BYTES]);
  }
  t.equal(starts, 3);
  t.match(world.lines.at(-1), /not available: threads end at once/);
});

void t.test('slow calls get more threads, up to a bound', async (t) => {
  const world = ringWorld(t, { start: heldThreads });
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  Atomics.store(world.control, DELAY_MS, 10);
  for (let turn = 0; turn < 50 && Atomics.load(world.control, MOST_WAITING) < MAX_RING_WORKERS; turn++) {
    await readMany(world, files, fd, 32);
  }
  t.equal(Atomics.load(world.control, MOST_WAITING), MAX_RING_WORKERS);
  t.equal(world.workers.length, MAX_RING_WORKERS);
});

void t.test('quick calls use one thread', async (t) => {
  // Without the look at progress, which takes a machine under load for a disk that waits.
  const world = ringWorld(t, { start: heldThreads, timers: stoppedTimers().timers });
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  for (let turn = 0; turn < 50; turn++) await readMany(world, files, fd, 16);
  t.equal(world.workers.length, 1);
});

void t.test(
  'a file whose calls do not end holds up no other, nor calls on itself that can be made',
  async (t) => {
    const world = ringWorld(t, { start: heldThreads });
    const [slowFd, otherFd] = [world.open(FILE_BYTES), world.open(FILE_BYTES)];
    const [slow, other] = [world.files(), world.files()];
    await warmUp(world, other, otherFd);
    await readMany(world, other, otherFd, 4);
    await warmUp(world, slow, slowFd);
    Atomics.store(world.control, HELD, 1);
    const held = readMany(world, slow, slowFd, 3);
    while (Atomics.load(world.control, WAITING) < 3) await new Promise(setImmediate);
    Atomics.store(world.control, HELD, 0);
    // The three threads sleep on; the word is what others look at.
    t.strictSame(
      await readMany(world, other, otherFd, 16),
      Array.from({ length: 16 }, () => CALL_BYTES),
    );
    t.strictSame(
      await readMany(world, slow, slowFd, 16),
      Array.from({ length: 16 }, () => CALL_BYTES),
    );
    Atomics.notify(world.control, HELD);
    t.strictSame(
      await held,
      Array.from({ length: 3 }, () => CALL_BYTES),
    );
  },
);

void t.test('calls that wait in a ring when it is given up are made all the same', async (t) => {
  const world = ringWorld(t, { start: heldThreads, timers: stoppedTimers().timers });
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  await readMany(world, files, fd, 4);
  Atomics.store(world.control, HELD, 1);
  const results = readMany(world, files, fd, 8);
  while (Atomics.load(world.control, WAITING) === 0) await new Promise(setImmediate);
  t.equal(await told((done) => files.close(openSync('/dev/null', 'r'), done)), 0);
  Atomics.store(world.control, HELD, 0);
  Atomics.notify(world.control, HELD);
  t.strictSame(
    await results,
    Array.from({ length: 8 }, () => CALL_BYTES),
  );
});

/** File calls whose ring's threads work, and whose ends are reaped, when the test says so. */
function steppedFiles(t: Test) {
  const timers = new ManualTimers();
  const buffers = new SharedBuffers(timers);
  t.teardown(() => buffers[Symbol.dispose]());
  const threads: { readonly listener: ThreadListener; readonly work: () => void }[] = [];
  const host = new RingHost(buffers, timers, ({ ring, index }, listener) => {
    const memory = new RingMemory(ring, withoutBlocking);
    const worker = new RingWorker(memory, index, {
      transfer: (slots) => slots.reduce((sum, slot) => sum + memory.length(slot), 0),
      now: () => 0,
      send: () => listener.onMessage(),
    });
    const work = (): void => {
      try {
        worker.run();
      } catch (error) {
        if (!(error instanceof Asleep)) throw error;
      }
    };
    threads.push({ listener, work });
  });
  let reap: (limit: number) => number = () => 0;
  const tasks = {
    post: (task: () => void): void => task(),
    addSource(source: (limit: number) => number) {
      reap = source;
      return () => {};
    },
  };
  const files = new RingFiles(tasks, (line) => t.fail(line), host);
  const fd = openSync('/dev/zero', 'r');
  t.teardown(() => closeSync(fd));
  /** Reads at the same time, none of which adjoins another. */
  const readAtOnce = (count: number): Promise<number>[] =>
    Array.from({ length: count }, (_, index) =>
      told((done) => files.read(fd, buffers.take(CALL_BYTES), index * 2 * CALL_BYTES, done)),
    );
  /** Reads until there is a ring, and completes so many calls of its thread, which are not reaped. */
  const fill = async (count: number): Promise<void> => {
    const before = threads.length;
    for (let turn = 1; turn <= 16; turn++) {
      t.equal(threads.length, before, `turn ${turn}`);
      await Promise.all(readAtOnce(2));
    }
    t.equal(threads.length, before + 1);
    threads[before]?.listener.onStart();
    for (const read of readAtOnce(count)) void read.then(() => (completed += 1));
    await Promise.resolve();
    threads[before]?.work();
  };
  let completed = 0;
  return { files, fill, reap: (limit: number) => reap(limit), completed: () => completed };
}

void t.test(
  'a reap completes calls of the present ring, then of those that are ending, up to its limit',
  async (t) => {
    const { files, fill, reap, completed } = steppedFiles(t);
    const close = () => told((done) => files.close(openSync('/dev/null', 'r'), done));
    t.equal(reap(5), 0, 'there is no ring');
    await fill(3);
    await close();
    t.equal(reap(1), 1);
    await fill(2);
    t.equal(reap(1), 1, 'no more than the limit');
    t.equal(reap(2), 2, 'one of the present ring, and one that is ending');
    await new Promise(setImmediate);
    t.equal(completed(), 4);
    await close();
    t.equal(reap(5), 1, 'the last call of a ring');
    t.equal(reap(5), 0);
    await fill(2);
    t.equal(reap(1), 1);
    await close();
    t.equal(reap(5), 1, 'the only call of a ring that was given up');
    t.equal(reap(5), 0);
    await new Promise(setImmediate);
    t.equal(completed(), 7);
  },
);

void t.test('a ring and its threads end when the file is closed, or is idle', async (t) => {
  const { timers, fire: idle } = stoppedTimers();
  const world = ringWorld(t, { timers });
  const fd = world.open(FILE_BYTES);
  const files = world.files();
  await warmUp(world, files, fd);
  await readMany(world, files, fd, 4);
  idle();
  const ended = new Promise((resolve) => world.workers[0]?.once('exit', resolve));
  t.ok(world.buffers.shared, 'it was used since the last look');
  idle();
  t.equal(await ended, 0);
  t.equal(world.buffers.shared, undefined);
  await warmUp(world, files, fd);
  t.strictSame(
    await readMany(world, files, fd, 4),
    Array.from({ length: 4 }, () => CALL_BYTES),
  );
  const second = new Promise((resolve) => world.workers[1]?.once('exit', resolve));
  const other = openSync('/dev/null', 'r');
  t.equal(await told((done) => files.close(other, done)), 0);
  t.equal(await second, 0);
  t.strictSame(world.lines, []);
});
