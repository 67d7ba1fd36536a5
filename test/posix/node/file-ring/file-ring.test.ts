// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { RING_IDLE_MS } from '../../../../src/posix/node/file-ring/file-ring.js';
import {
  MAX_RING_WORKERS,
  RING_SLOTS,
  sleepingWord,
} from '../../../../src/posix/node/file-ring/ring-memory.js';
import { SteppedRing, WATCH_MS } from './stepped-ring.js';

const positionsOf = ({ made }: SteppedRing): (readonly number[])[] => made.map(({ positions }) => positions);

t.test(
  'a ring takes calls once a thread runs, makes them once published, and completes them in reap',
  async (t) => {
    const stepped = new SteppedRing();
    const { ring } = stepped;
    t.notOk(ring.isRunning);
    t.notOk(stepped.submit(0));
    stepped.threads[0]?.listener.onStart();
    t.ok(ring.isRunning);
    t.ok(stepped.submit(0));
    t.ok(stepped.submit(4096, { length: 100 }));
    stepped.run();
    t.same(stepped.made, [], 'not published');
    ring.publish();
    stepped.run();
    t.same(positionsOf(stepped), [[0], [4096]]);
    t.same(stepped.results, []);
    t.equal(ring.outstanding, 2);
    t.equal(ring.reap(10), 2);
    t.same(stepped.results, [
      [0, 512],
      [4096, 100],
    ]);
    t.equal(ring.outstanding, 0);
    t.equal(ring.reap(10), 0);
  },
);

t.test('a ring holds as many calls as it has slots, and takes more once some are completed', async (t) => {
  const stepped = SteppedRing.running();
  for (let round = 0; round < 3; round++) {
    let taken = 0;
    while (stepped.submit(taken * 1024)) taken += 1;
    t.equal(taken, RING_SLOTS);
    stepped.ring.publish();
    stepped.run();
    t.notOk(stepped.submit(0), 'a call that is made has its slot until it is reaped');
    t.equal(stepped.ring.reap(RING_SLOTS), RING_SLOTS);
  }
  t.equal(stepped.made.length, 3 * RING_SLOTS);
});

t.test('reap completes no more than it may, and the ring reports that others have ended', async (t) => {
  const stepped = SteppedRing.running();
  const { ring } = stepped;
  stepped.request(3);
  t.equal(stepped.notices, 0);
  stepped.run();
  t.equal(stepped.notices, 1, 'one message, however many calls have ended');
  t.equal(ring.reap(2), 2);
  t.equal(stepped.notices, 2, 'one is left');
  t.equal(ring.reap(2), 1);
  t.equal(stepped.notices, 2, 'none is left');
  stepped.request(1);
  stepped.run();
  t.equal(stepped.notices, 3);
});

t.test('calls that wait and adjoin in one file are made as one, and have their own results', async (t) => {
  const stepped = SteppedRing.running();
  // The second time in other slots.
  for (let round = 0; round < 2; round++) {
    for (const position of [0, 512, 1024]) stepped.submit(position);
    stepped.submit(2048);
    stepped.submit(2560, { operation: 1 });
    stepped.submit(3072, { operation: 1 });
    stepped.submit(3584, { operation: 1, fd: 4 });
    stepped.ring.publish();
    stepped.run();
    t.same(positionsOf(stepped), [[0, 512, 1024], [2048], [2560, 3072], [3584]]);
    stepped.made.length = 0;
    stepped.ring.reap(10);
    t.equal(stepped.results.length, 7);
    t.ok(stepped.results.splice(0).every(([, result]) => result === 512));
  }
});

t.test('whatever slots they are in, calls that adjoin are made as one', async (t) => {
  const stepped = SteppedRing.running();
  for (let round = 0; round < 2; round++) {
    for (const position of [0, 512]) stepped.submit(position);
    stepped.ring.publish();
    stepped.run();
    t.equal(stepped.ring.reap(10), 2);
  }
  t.same(positionsOf(stepped), [
    [0, 512],
    [0, 512],
  ]);
});

t.test('no more than 16 calls are made as one, and none is added to 256 KiB', async (t) => {
  const stepped = SteppedRing.running();
  for (let call = 0; call < 20; call++) stepped.submit(call * 512);
  stepped.ring.publish();
  stepped.run();
  t.same(
    stepped.made.map(({ positions }) => positions.length),
    [16, 4],
  );
  stepped.made.length = 0;
  const length = 100 << 10;
  for (let call = 0; call < 5; call++) stepped.submit(call * length, { length });
  for (let call = 0; call < 3; call++) stepped.submit((1 << 30) + call * (128 << 10), { length: 128 << 10 });
  stepped.ring.publish();
  stepped.run();
  t.same(
    stepped.made.map(({ positions }) => positions.length),
    [3, 2, 2, 1],
  );
});

t.test('calls that cannot be made as one are made by themselves, each with its own errno', async (t) => {
  const stepped = SteppedRing.running();
  stepped.resultOf = (positions) => (positions.includes(512) ? -errno.ENOSPC : undefined);
  for (const position of [0, 512, 1024]) stepped.submit(position);
  stepped.ring.publish();
  stepped.run();
  t.same(positionsOf(stepped), [[0, 512, 1024], [0], [512], [1024]]);
  stepped.ring.reap(10);
  t.same(stepped.results, [
    [0, 512],
    [512, -errno.ENOSPC],
    [1024, 512],
  ]);
});

t.test('a single call that moves less than it was asked for is not made again', async (t) => {
  const stepped = SteppedRing.running();
  stepped.resultOf = () => 100;
  stepped.request(1);
  stepped.run();
  t.equal(stepped.made.length, 1);
  stepped.ring.reap(1);
  t.same(stepped.results, [[0, 100]]);
});

t.test(
  'the death of a thread fails the call that it was making; the next thread makes the others',
  async (t) => {
    const stepped = SteppedRing.running();
    stepped.resultOf = (positions) => (positions[0] === 1024 ? 'dies' : undefined);
    stepped.request(3);
    stepped.run();
    t.match(stepped.lines, [
      /^a thread for file calls ended \(as the test wants it\); 1 calls failed with EIO$/,
    ]);
    t.equal(stepped.threads.length, 2);
    t.equal(stepped.threads[1]?.index, 0, 'it takes the place');
    stepped.threads[1]?.listener.onStart();
    stepped.run();
    t.equal(stepped.ring.reap(10), 3);
    t.same(
      stepped.results.toSorted(([a], [b]) => a - b),
      [
        [0, 512],
        [1024, -errno.EIO],
        [2048, 512],
      ],
    );
    stepped.resultOf = () => undefined;
    stepped.request(2);
    stepped.run();
    t.equal(stepped.ring.reap(10), 2, 'and it is woken like any other');
  },
);

t.test('a call that failed with its thread fails once, whatever happens to the next thread', async (t) => {
  const stepped = SteppedRing.running();
  stepped.resultOf = () => 'dies';
  stepped.request(1);
  stepped.run();
  stepped.threads[1]?.end('it dies, too');
  t.match(stepped.lines, [/; 1 calls failed with EIO$/, /; 0 calls failed with EIO$/]);
  t.equal(stepped.ring.reap(10), 1);
  t.same(stepped.results, [[0, -errno.EIO]]);
});

t.test("the failure of a thread's only call is reported", async (t) => {
  const stepped = SteppedRing.running();
  stepped.resultOf = () => 'dies';
  stepped.request(1);
  stepped.run();
  t.equal(stepped.notices, 1);
  t.equal(stepped.ring.reap(1), 1);
  t.same(stepped.results, [[0, -errno.EIO]]);
});

t.test('each thread that dies fails its own call', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(3);
  stepped.timers.pass(WATCH_MS);
  stepped.threads[1]?.listener.onStart();
  stepped.resultOf = (positions) => {
    // In the first thread's call the second thread makes the next, and does not survive it.
    if (positions[0] === 0) stepped.threads[1]?.run();
    return positions[0] === 1024 ? 'dies' : undefined;
  };
  stepped.threads[0]?.run();
  stepped.ring.reap(10);
  t.same(stepped.results, [
    [1024, -errno.EIO],
    [0, 512],
    [2048, 512],
  ]);
});

t.test('a call that its thread had completed does not fail when the thread ends', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(2);
  stepped.run();
  t.equal(stepped.notices, 1);
  stepped.threads[0]?.end('after its calls');
  t.match(stepped.lines, [/; 0 calls failed with EIO$/]);
  t.equal(stepped.notices, 1, 'there is nothing new to reap');
  stepped.ring.reap(10);
  t.same(stepped.results, [
    [0, 512],
    [1024, 512],
  ]);
});

t.test('a ring is given up after three ends of threads between which no call was made', async (t) => {
  const stepped = SteppedRing.running();
  const last = (): SteppedRing['threads'][number] => {
    const thread = stepped.threads.at(-1);
    if (thread === undefined) throw new Error('there is no thread');
    return thread;
  };
  last().end('1');
  last().end('2');
  t.same(stepped.givenUp, []);
  last().listener.onStart();
  stepped.request(1);
  stepped.run();
  stepped.ring.reap(1);
  // A call was made: the next ends count from the beginning.
  last().end('3');
  last().end('4');
  last().end('5');
  t.same(stepped.givenUp, []);
  last().end('6');
  t.same(stepped.givenUp, [{ left: [], why: 'vain' }]);
  t.equal(stepped.threads.length, 6);
  t.notOk(stepped.submit(0));
});

t.test(
  'a ring whose thread cannot be replaced is given up, with the reason, and its calls are left',
  async (t) => {
    const stepped = SteppedRing.running();
    stepped.request(2);
    stepped.mayStart = false;
    stepped.threads[0]?.end('1');
    t.match(stepped.lines, [
      /^a thread for file calls ended \(1\); 0 calls failed with EIO$/,
      /^cannot start a thread for file calls: not allowed by the test$/,
    ]);
    t.equal(stepped.givenUp.length, 1);
    t.equal(stepped.givenUp[0]?.why, 'vain');
    t.equal(stepped.givenUp[0]?.left.length, 2);
  },
);

t.test('a ring whose first thread cannot be started is not made', async (t) => {
  t.throws(() => new SteppedRing({ mayStart: false }), /not allowed by the test/);
});

t.test('a ring is given up after 30 seconds without a call, and leaves no timer', async (t) => {
  const stepped = SteppedRing.running();
  t.ok(
    stepped.timers.set.every(({ referenced }) => !referenced),
    'which does not keep the process alive',
  );
  stepped.timers.pass(RING_IDLE_MS - 1);
  stepped.request(1);
  stepped.run();
  stepped.timers.pass(1);
  t.same(stepped.givenUp, [], 'its call is not completed');
  stepped.timers.pass(RING_IDLE_MS);
  t.same(stepped.givenUp, [], 'nor is it now');
  stepped.ring.reap(1);
  stepped.timers.pass(RING_IDLE_MS);
  t.same(stepped.givenUp, [{ left: [], why: 'idle' }]);
  t.equal(stepped.timers.set.length, 0);
  t.notOk(stepped.ring.isRunning);
});

t.test('a ring that is never used is given up as well', async (t) => {
  const stepped = SteppedRing.running();
  stepped.timers.pass(RING_IDLE_MS - 1);
  t.same(stepped.givenUp, []);
  stepped.timers.pass(1);
  t.same(stepped.givenUp, [{ left: [], why: 'idle' }]);
});

t.test('a ring that was used since the last look is not idle', async (t) => {
  const stepped = SteppedRing.running();
  for (let round = 0; round < 3; round++) {
    stepped.request(1);
    stepped.run();
    stepped.ring.reap(1);
    stepped.timers.pass(RING_IDLE_MS);
    t.same(stepped.givenUp, []);
  }
  stepped.timers.pass(RING_IDLE_MS);
  t.equal(stepped.givenUp[0]?.why, 'idle');
});

t.test(
  'a ring that is given up ends its threads, completes what they had, and leaves the rest',
  async (t) => {
    const stepped = SteppedRing.running();
    const { ring } = stepped;
    stepped.request(1);
    stepped.run();
    for (const position of [5120, 10_240, 15_360]) stepped.submit(position);
    ring.giveUp();
    ring.giveUp();
    t.equal(stepped.givenUp.length, 1, 'once');
    t.equal(stepped.givenUp[0]?.why, 'closed');
    t.same(
      stepped.timers.set.map(({ delayMs }) => delayMs),
      [WATCH_MS],
      'nobody looks whether it is idle',
    );
    const left = stepped.givenUp[0]?.left ?? [];
    t.same(
      left.map((slot) => ring.memory.position(slot)),
      [5120, 10_240, 15_360],
    );
    stepped.run();
    t.ok(stepped.threads[0]?.hasEnded);
    t.same(stepped.lines, [], 'a thread that is to end is no news');
    t.equal(stepped.threads.length, 1, 'and is not replaced');
    t.equal(stepped.made.length, 1, 'what is left is not made by a thread');
    t.equal(ring.reap(10), 1);
    const { notices } = stepped;
    for (const slot of left) ring.endLeft(slot, 7);
    t.equal(stepped.notices, notices + 3);
    t.equal(ring.reap(2), 2);
    t.equal(stepped.notices, notices + 4, 'one that ended is not completed');
    t.equal(ring.reap(10), 1);
    t.equal(stepped.notices, notices + 4);
    t.same(stepped.results, [
      [0, 512],
      [5120, 7],
      [10_240, 7],
      [15_360, 7],
    ]);
    t.equal(ring.outstanding, 0);
  },
);

t.test(
  'another thread is started when calls wait and none ends, one at a time up to the bound',
  async (t) => {
    const stepped = SteppedRing.running();
    stepped.request(40);
    t.equal(
      stepped.timers.set.filter(({ referenced }) => referenced).length,
      1,
      'a process does not end before its calls have',
    );
    stepped.timers.pass(WATCH_MS);
    t.equal(stepped.threads.length, 2);
    stepped.timers.pass(5 * WATCH_MS);
    t.equal(stepped.threads.length, 2, 'while one starts there is no other');
    for (let count = 2; count < MAX_RING_WORKERS + 3; count++) {
      stepped.threads.at(-1)?.listener.onStart();
      stepped.timers.pass(WATCH_MS);
    }
    t.same(
      stepped.threads.map(({ index }) => index),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  },
);

t.test('no thread is added to a ring that was given up, whose calls wait in vain', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(2);
  stepped.ring.giveUp();
  stepped.timers.pass(2 * WATCH_MS);
  t.equal(stepped.threads.length, 1);
});

t.test('a thread that could not be added is tried again at the next look', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(2);
  stepped.mayStart = false;
  stepped.timers.pass(WATCH_MS);
  t.match(stepped.lines, [/^cannot start a thread for file calls: not allowed by the test$/]);
  t.same(stepped.givenUp, [], 'the first goes on');
  stepped.mayStart = true;
  stepped.timers.pass(WATCH_MS);
  t.equal(stepped.threads.length, 2);
});

t.test('no thread is added while calls end, or when none waits', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(1);
  stepped.run();
  stepped.request(1);
  stepped.timers.pass(WATCH_MS);
  t.equal(stepped.threads.length, 1, 'a call has ended since the last look');
  stepped.timers.pass(WATCH_MS);
  t.equal(stepped.threads.length, 2, 'none has');
  stepped.run();
  stepped.ring.reap(10);
  stepped.timers.pass(WATCH_MS);
  t.equal(stepped.timers.set.length, 1, 'without calls there is nothing to look at');
});

t.test('a thread that sleeps is woken before another one is started', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(2);
  stepped.timers.pass(WATCH_MS);
  t.equal(stepped.threads.length, 2);
  stepped.threads[1]?.listener.onStart();
  stepped.run();
  stepped.ring.reap(10);
  t.ok(stepped.threads.every(({ isAsleep }) => isAsleep));
  stepped.timers.pass(WATCH_MS);
  stepped.request(2);
  t.same(
    stepped.threads.map(({ isAsleep }) => isAsleep),
    [false, true],
    'the first is woken for any call',
  );
  stepped.timers.pass(WATCH_MS);
  t.notOk(stepped.threads[1]?.isAsleep);
  t.equal(stepped.threads.length, 2);
  stepped.timers.pass(WATCH_MS);
  t.equal(stepped.threads.length, 3);
});

t.test('two slow calls in a row get another thread, although calls end', async (t) => {
  for (const { callMs, threads } of [
    { callMs: 0.25, threads: 1 },
    { callMs: 0.26, threads: 2 },
  ]) {
    const stepped = SteppedRing.running();
    stepped.callMs = callMs;
    // The thread takes one call after the other: in the second, a look at the progress comes.
    stepped.watchInCall(3);
    stepped.request(5);
    stepped.run();
    t.equal(stepped.threads.length, threads, `calls that take ${callMs} ms`);
  }
});

t.test('a slow call between quick ones gets no other thread', async (t) => {
  const stepped = SteppedRing.running();
  stepped.watchInCall(5, (call) => (stepped.callMs = call % 2));
  stepped.request(8);
  stepped.run();
  t.equal(stepped.threads.length, 1);
});

t.test('a byte may take a nanosecond before its call counts as slow', async (t) => {
  for (const { callMs, threads } of [
    { callMs: 0.34, threads: 1 },
    { callMs: 0.36, threads: 2 },
  ]) {
    const stepped = SteppedRing.running();
    stepped.callMs = callMs;
    stepped.watchInCall(3);
    for (let call = 0; call < 5; call++) stepped.submit(call * 1_000_000, { length: 100_000 });
    stepped.ring.publish();
    stepped.run();
    t.equal(stepped.threads.length, threads, `calls of 100,000 bytes that take ${callMs} ms`);
  }
});

t.test('slow calls wake a thread that sleeps, without the look at the progress', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(2);
  stepped.timers.pass(WATCH_MS);
  stepped.threads[1]?.listener.onStart();
  stepped.run();
  stepped.ring.reap(10);
  stepped.made.length = 0;
  stepped.callMs = 1;
  stepped.request(6);
  let wasWoken = false;
  stepped.resultOf = () => {
    wasWoken ||= stepped.threads[1]?.isAsleep === false;
    return undefined;
  };
  stepped.run();
  t.ok(wasWoken);
  t.equal(stepped.made.length, 6);
});

t.test(
  'a thread that is not the first retires when calls are quick and the first makes progress',
  async (t) => {
    const stepped = SteppedRing.running();
    stepped.request(6);
    stepped.timers.pass(WATCH_MS);
    const [first, second] = stepped.threads;
    second?.listener.onStart();
    // The first takes none of these: the second makes them all.
    second?.run();
    t.equal(stepped.made.length, 6);
    t.ok(stepped.made.every(({ thread }) => thread === 1));
    first?.run();
    stepped.ring.reap(10);
    stepped.made.length = 0;
    stepped.request(6);
    stepped.resultOf = () => {
      // The first one has a call between those of the second.
      if (stepped.made.length === 1) first?.run();
      return undefined;
    };
    stepped.timers.pass(2 * WATCH_MS);
    second?.run();
    t.equal(stepped.made.filter(({ thread }) => thread === 1).length, 1, 'it sleeps after one');
    t.equal(stepped.made.length, 6);
  },
);

t.test('a thread that is not the first retires, although calls wait for the first', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(2);
  stepped.timers.pass(WATCH_MS);
  const [first, second] = stepped.threads;
  second?.listener.onStart();
  second?.run();
  first?.run();
  stepped.ring.reap(10);
  stepped.made.length = 0;
  stepped.request(6);
  stepped.timers.pass(2 * WATCH_MS);
  stepped.resultOf = () => {
    const call = stepped.made.length;
    // The first one makes a call, and does not survive its second.
    if (call === 1) first?.run();
    return call === 3 ? 'dies' : undefined;
  };
  second?.run();
  t.same(
    stepped.made.map(({ thread }) => thread),
    [1, 0, 0],
  );
  t.ok(second?.isAsleep);
});

t.test('a thread whose calls are slow wakes the first as well', async (t) => {
  const stepped = SteppedRing.running();
  const [first] = stepped.threads;
  stepped.request(6);
  stepped.timers.pass(WATCH_MS);
  const second = stepped.threads[1];
  second?.listener.onStart();
  stepped.callMs = 1;
  const asleep: unknown[] = [];
  stepped.resultOf = () => {
    // The first one, woken by the submission, finds nothing to do for once.
    if (stepped.made.length === 1) first?.memory.words.store(sleepingWord(0), 1);
    asleep.push(first?.isAsleep);
    return undefined;
  };
  second?.run();
  t.same(asleep, [true, true, false, false, false, false]);
});

t.test('no thread is always the last to be reaped', async (t) => {
  const stepped = SteppedRing.running();
  stepped.request(6);
  stepped.timers.pass(WATCH_MS);
  const [first, second] = stepped.threads;
  second?.listener.onStart();
  stepped.resultOf = () => {
    // By turns: each makes three calls.
    if (stepped.made.length === 3) first?.run();
    return undefined;
  };
  second?.run();
  const threadOf = new Map(stepped.made.map(({ thread, positions }) => [positions[0], thread]));
  t.same([...threadOf.values()], [1, 1, 1, 0, 0, 0]);
  const reaped: unknown[] = [];
  while (stepped.ring.reap(1) > 0) reaped.push(threadOf.get(stepped.results.at(-1)?.[0]));
  t.equal(reaped.length, 6);
  t.same(reaped.slice(0, 2), [0, 1]);
});
