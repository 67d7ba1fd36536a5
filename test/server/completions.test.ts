// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno, NodePosix } from '../../src/posix/index.js';
import { nullLogger } from '../../src/server/logger.js';
import { Completions, MAX_TASKS_PER_TURN } from '../../src/server/completions.js';
import { bench } from '../disks/bench.js';

t.test('tasks run on the scheduler in order, those posted by tasks last', async (t) => {
  const { registry, step } = bench(t);
  const ran: string[] = [];
  registry.completions.post(() => {
    ran.push('a');
    registry.completions.post(() => ran.push('c'));
  });
  registry.completions.post(() => ran.push('b'));
  t.strictSame(ran, []);
  await step();
  t.strictSame(ran, ['a', 'b', 'c']);
  registry.completions.post(() => ran.push('d'));
  await step();
  t.strictSame(ran, ['a', 'b', 'c', 'd']);
});

t.test('a turn runs a bounded number of tasks, and later turns the rest', async (t) => {
  const { registry, step } = bench(t);
  let ran = 0;
  for (let count = 0; count < 2 * MAX_TASKS_PER_TURN + 1; count++) registry.completions.post(() => ran++);
  const turns = [];
  for (let turn = 0; turn < 3; turn++) {
    await step();
    turns.push(ran);
  }
  t.strictSame(turns, [MAX_TASKS_PER_TURN, 2 * MAX_TASKS_PER_TURN, 2 * MAX_TASKS_PER_TURN + 1]);
});

t.test('a task that throws is logged, and the others run', async (t) => {
  const { registry, step, lines } = bench(t);
  let ran = false;
  registry.completions.post(() => {
    throw new Error('thrown by the test');
  });
  registry.completions.post(() => {
    ran = true;
  });
  await step();
  t.equal(ran, true);
  t.match(lines, [/a completion failed: Error: thrown by the test/]);
});

t.test('completions from sources stay within the bound of a turn, and run before tasks', async (t) => {
  const { registry, step } = bench(t);
  const ran: string[] = [];
  let left = MAX_TASKS_PER_TURN + 3;
  const wake = registry.completions.addSource((limit) => {
    const count = Math.min(limit, left);
    left -= count;
    ran.push(`reaped ${count}`);
    return count;
  });
  wake();
  wake();
  registry.completions.post(() => ran.push('task'));
  await step();
  t.strictSame(ran, [`reaped ${MAX_TASKS_PER_TURN}`, 'task']);
  await step();
  t.strictSame(ran.slice(2), ['reaped 3'], 'the rest comes without another wake');
  left = 2;
  wake();
  await step();
  t.strictSame(ran.slice(3), ['reaped 2']);
});

t.test('all sources share the bound of a turn, and each has its turn', async (t) => {
  const { registry, step } = bench(t);
  const counts = [0, 0];
  const wakes = counts.map((_, index) =>
    registry.completions.addSource((limit) => {
      counts[index] = (counts[index] ?? 0) + limit;
      return limit;
    }),
  );
  for (const wake of wakes) wake();
  await step();
  t.strictSame(counts, [MAX_TASKS_PER_TURN, 0]);
  await step();
  t.strictSame(counts, [MAX_TASKS_PER_TURN, MAX_TASKS_PER_TURN]);
});

t.test('what a source posts runs in the same turn, and needs no other', async (t) => {
  const { posix, server, step } = bench(t);
  let signals = 0;
  const write = posix.write.bind(posix);
  posix.write = (fd, bytes) => {
    signals++;
    return write(fd, bytes);
  };
  const completions = new Completions(server, posix, nullLogger);
  let ran = false;
  const wake = completions.addSource(() => {
    completions.post(() => {
      ran = true;
    });
    return 0;
  });
  wake();
  await step();
  t.match({ ran, signals }, { ran: true, signals: 1 });
  completions[Symbol.dispose]();
});

t.test('a source that throws is logged and polled again', async (t) => {
  const { registry, step, lines } = bench(t);
  let calls = 0;
  const wake = registry.completions.addSource(() => {
    if (calls++ === 0) throw new Error('thrown by the test');
    return 1;
  });
  wake();
  await step();
  t.equal(calls, 1, 'others have their turn first');
  await step();
  t.equal(calls, 2);
  t.match(lines, [/a completion failed: Error: thrown by the test/]);
});

t.test('after dispose nothing runs, and its descriptor and event are closed', async (t) => {
  const { posix, server, step } = bench(t);
  const [fds, events] = [posix.openDescriptors().length, [...server.scheduler.events()].length];
  const completions = new Completions(server, posix, nullLogger);
  let ran = false;
  completions.post(() => {
    ran = true;
  });
  completions[Symbol.dispose]();
  completions[Symbol.dispose]();
  completions.post(() => {
    ran = true;
  });
  await step();
  t.equal(ran, false);
  t.equal(posix.openDescriptors().length, fds);
  t.equal([...server.scheduler.events()].length, events);
});

t.test('a task or source that disposes of it is the last one to run', async (t) => {
  const { posix, server, step } = bench(t);
  const ran: string[] = [];
  const tasks = new Completions(server, posix, nullLogger);
  tasks.post(() => {
    ran.push('first task');
    tasks[Symbol.dispose]();
  });
  tasks.post(() => ran.push('second task'));
  await step();
  const sources = new Completions(server, posix, nullLogger);
  const wakeFirst = sources.addSource((limit) => {
    ran.push('first source');
    sources[Symbol.dispose]();
    return limit - 1;
  });
  const wakeSecond = sources.addSource(() => ran.push('second source'));
  wakeFirst();
  wakeSecond();
  await step();
  t.same(ran, ['first task', 'first source']);
});

t.test('it is disposed of once, even if its descriptor has been reused by then', async (t) => {
  const { posix, server } = bench(t);
  const before = new Set(posix.openDescriptors().map(({ fd }) => fd));
  const completions = new Completions(server, posix, nullLogger);
  const own = posix.openDescriptors().find(({ fd }) => !before.has(fd))?.fd;
  completions[Symbol.dispose]();
  const other = posix.eventfd();
  t.equal(other, own, 'the number is used again');
  completions[Symbol.dispose]();
  completions.post(() => t.fail('it was disposed of'));
  completions.addSource(() => 0)();
  t.equal(posix.read(other, new Uint8Array(8)), -errno.EAGAIN, 'nothing was written to it');
  posix.close(other);
});

t.test(
  'tasks wake the scheduler once, and a turn that runs them all leaves nothing to wake for',
  async (t) => {
    const { posix, registry, step } = bench(t);
    const counter = (): string | undefined =>
      posix.openDescriptors().find(({ description }) => description.startsWith('eventfd'))?.description;
    for (let count = 0; count < 3; count++)
      registry.completions.post(() => registry.completions.post(() => {}));
    t.equal(counter(), 'eventfd 1');
    await step();
    t.equal(counter(), 'eventfd 0');
  },
);

t.test('without a descriptor there are no completions, which is named', async (t) => {
  const { server } = bench(t);
  t.throws(() => new Completions(server, new NodePosix({ maxDescriptors: 3 }), nullLogger), {
    code: 'EMFILE',
    message: 'cannot get a counter descriptor: EMFILE',
  });
});

t.test('a scheduler without room is an error when they are made, and no descriptor is left', (t) => {
  const { posix, server } = bench(t);
  const before = posix.openDescriptors().length;
  const full = { registerEvent: () => -errno.EBUSY, unregisterEvent: () => {}, setMaxTimeout: () => 0 };
  t.throws(() => new Completions(full, posix, server.logger), {
    code: 'EBUSY',
    message: /an event for completions: EBUSY/,
  });
  t.equal(posix.openDescriptors().length, before);
  t.end();
});
