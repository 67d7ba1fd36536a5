// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { inProcess, ownScheduler, referenceScheduler } from '../../src/conformance/implementation.js';
import { ReferenceScheduler } from '../../src/conformance/reference-scheduler.js';
import { ScriptedSockets } from '../../src/conformance/scripted-sockets.js';
import { runVectors } from '../../src/conformance/suite-run.js';
import type { SchedulerFactory } from '../../src/conformance/scheduler-under-test.js';
import type {
  AsyncIoVector,
  RamdiskVector,
  ReplicationVector,
  Tapdisk3Vector,
  Trace,
  SchedulerVector,
  Vector,
} from '../../src/conformance/vector.js';
import { recordVector } from '../../src/conformance/record.js';
import { tallyLine, tallyOf, type VectorResult } from '../../src/conformance/vector-result.js';
import { AF_INET } from '../../src/posix/index.js';
import { assignmentOf, killVector } from './example-vectors.js';

t.test('a port that is not a number is 0, as with atoi; a large one is cut to 16 bits', async (t) => {
  const sockets = new ScriptedSockets({}, () => {});
  for (const [text, port] of [
    ['http', 0],
    ['12x', 12],
    ['65537', 1],
    ['-1', 65_535],
  ] as const) {
    t.same(sockets.getaddrinfo('10.0.0.2', text), [{ family: AF_INET, address: '10.0.0.2', port }], text);
  }
});

const waiting: SchedulerVector = {
  suite: 'scheduler',
  name: 'waiting',
  clock: 1000,
  events: { a: { mode: ['READ'], fd: 3, timeout: 0 } },
  steps: [
    ['register', 'a'],
    ['wait', {}],
  ],
  trace: [
    ['register', 'a', 1],
    ['select', { nfds: 4, read: [3], write: [], except: [], timeout: 0 }],
    ['wait', 0],
  ],
};
const killing: ReplicationVector = { ...killVector, steps: [], trace: [] };

function run(vector: Vector, create: SchedulerFactory = ownScheduler): Promise<VectorResult[]> {
  return runVectors([assignmentOf(vector)], inProcess(create));
}

t.test('a scheduler that throws during a run fails that vector with its error', async (t) => {
  class Broken extends ReferenceScheduler {
    override registerEvent(): number {
      throw new TypeError('out of events');
    }
  }
  t.match(await run(waiting, (poller, clock) => new Broken(poller, clock)), [
    { outcome: 'failed', reason: 'no trace: out of events' },
  ]);
});

t.test('a scheduler of tapdisk3 that throws fails that vector, which is no limit', async (t) => {
  const vector: Tapdisk3Vector = { ...waiting, dialect: 'tapdisk3', trace: [] };
  const broken = (): never => {
    throw new TypeError('out of events');
  };
  const implementation = inProcess(ownScheduler, () => ({
    nextEventId: 1,
    registerEvent: broken,
    unregisterEvent() {},
    maskEvent() {},
    setEventTimeout: () => 0,
    setMaxTimeout: () => 0,
    waitForEvents: async () => 0,
  }));
  t.match(await runVectors([assignmentOf(vector)], implementation), [
    { outcome: 'failed', reason: 'no trace: out of events' },
  ]);
});

t.test('a scheduler that selects twice in a wait fails', async (t) => {
  class Twice extends ReferenceScheduler {
    override async waitForEvents(): Promise<number> {
      await super.waitForEvents();
      return super.waitForEvents();
    }
  }
  t.match(await run(waiting, (poller, clock) => new Twice(poller, clock)), [
    { outcome: 'failed', reason: 'no trace: select was called without a wait, or twice in one' },
  ]);
});

t.test('a scheduler that sets interest other than its events’ fails', async (t) => {
  const setting = (change: (conditions: number) => number): Promise<VectorResult[]> =>
    run(waiting, (poller, clock) => {
      const set = poller.setInterest.bind(poller);
      poller.setInterest = (fd, conditions) => set(fd, change(conditions));
      return referenceScheduler(poller, clock);
    });
  t.match(await setting((conditions) => conditions), [{ outcome: 'passed' }]);
  t.match(await setting(() => 2), [{ outcome: 'failed' }]);
  t.match(await setting(() => 0), [{ outcome: 'failed' }]);
});

t.test('ids can be set in the suite replication too, by member and by step', async (t) => {
  const steps = [['server_start'], ['kill'], ['uuid', 70], ['server_start']] as const;
  const vector = { ...killing, uuid: 50, steps };
  const [result] = await run(vector);
  const ids = result?.traces?.actual.filter(([kind]) => kind === 'register').map((entry) => entry[2]);
  t.same(ids, [50, 70]);
});

t.test('an error unknown to Node keeps its name', async (t) => {
  const vector: ReplicationVector = {
    ...killing,
    syscalls: { socket: ['EHOSTDOWN'] },
    steps: [['server_start']],
  };
  const [result] = await run(vector);
  t.same(result?.traces?.actual[0], ['sys', 'socket', '-EHOSTDOWN']);
});

t.test('past the end of its outcomes every call succeeds, and a closed number is free again', async (t) => {
  const steps = [
    ['init', 'backup:9000x'],
    ['client_start'],
    ['kill'],
    ['client_start'],
    ['wait', {}],
  ] as const;
  const [result] = await run({ ...killing, steps });
  const calls = result?.traces?.actual.filter(([kind]) => kind === 'sys');
  t.same(calls, [
    ['sys', 'getaddrinfo', 'backup', '9000x', 0],
    ['sys', 'socket', 3],
    ['sys', 'fcntl', 3, 'F_GETFL', 0],
    ['sys', 'fcntl', 3, 'F_SETFL', 2048, 0],
    ['sys', 'close', 3, 0],
    ['sys', 'socket', 3],
    ['sys', 'fcntl', 3, 'F_GETFL', 0],
    ['sys', 'fcntl', 3, 'F_SETFL', 2048, 0],
    ['sys', 'connect', 3, 'backup:9000', 0],
  ]);
});

t.test('a ramdisk of 64-bit sectors ends writes that were issued, and no other', async (t) => {
  const vector: RamdiskVector = {
    suite: 'ramdisk-guarded',
    name: 'ending',
    steps: [
      ['cacheWrite', 'primary', 2 ** 63, [2 ** 40]],
      ['startFlush', 'primary'],
      ['read', 2 ** 63, 1],
      ['complete', 1, 0],
    ],
    trace: [],
  };
  t.match(await run(vector), [{ reason: 'no trace: write 1 ends, but was not issued' }]);
  const [result] = await run({ ...vector, steps: vector.steps.slice(0, 3) });
  t.same(result?.traces?.actual.at(-2), ['return', 'read', [2 ** 40]]);
});

/** A masked event before an unmasked one, where the C dies (B1). */
const dying: Tapdisk3Vector = {
  suite: 'scheduler',
  dialect: 'tapdisk3',
  name: 'dying',
  bug: 'B1',
  clock: 0,
  events: { a: { mode: ['READ'], fd: 3, timeout: 0 } },
  steps: [
    ['register', 'a'],
    ['register', 'a'],
    ['mask', 1, true],
    ['wait', { read: [3] }],
  ],
  trace: [
    ['register', 'a', 1],
    ['register', 'a', 2],
    ['mask', 1, true],
    ['select', { nfds: 4, read: [3], write: [], except: [], timeout: 0 }],
    ['panic'],
  ],
};

t.test('where the C dies, continuing and dying both pass, and are counted separately', async (t) => {
  const traces = async (trace: Trace): Promise<VectorResult[]> =>
    runVectors([{ file: 'f', item: { kind: 'vector', vector: dying, warnings: [] } }], {
      run: async () => trace,
    });
  const before = dying.trace?.slice(0, -1) ?? [];
  const own = await run(dying);
  t.match(own, [{ outcome: 'passed', bug: { name: 'B1', here: 'goes on' } }]);
  t.match(await traces(before), [{ outcome: 'passed', bug: { here: 'goes on' } }]);
  const asC = await traces(dying.trace ?? []);
  t.match(asC, [{ outcome: 'passed', bug: { name: 'B1', here: 'dies' } }]);
  t.match(await traces(before.slice(1)), [{ outcome: 'failed', reason: /^entry 0: / }]);
  t.match(await traces(before.slice(0, -1)), [{ outcome: 'failed', reason: /^entry 3: .* got the end/ }]);
  t.equal(
    tallyLine(tallyOf([...own, ...asC])),
    '2 passed, 0 failed; 1 passed by going on where the C panics; 1 passed by ending where the C panics',
  );
});

t.test('the recording of a script with a bug continues where the C continues', async (t) => {
  const own = inProcess(ownScheduler);
  t.notOk('bug' in (await recordVector(dying, own)));
  const asC = await recordVector(dying, { run: async () => dying.trace ?? [] });
  t.same(asC, dying);
});

t.test('a step that registers an event that the script does not have fails, and names it', async (t) => {
  const unknown: SchedulerVector = { ...waiting, steps: [['register', 'b']] };
  t.match(await run(unknown), [{ outcome: 'failed', reason: 'no trace: no event has the label b' }]);
});

const transfer: AsyncIoVector = {
  suite: 'async-io',
  name: 'transfer',
  clock: 1000,
  ios: { r: { fd: 5, timeout: 0, mode: 0, size: 8 } },
  syscalls: {},
  steps: [],
};

/** The trace of a vector by this package. */
const traced = async (vector: Vector): Promise<Trace | undefined> => (await run(vector))[0]?.traces?.actual;

t.test('ids and the clock can be set in the suite async-io too', async (t) => {
  const timed = { ...transfer, ios: { r: { fd: 5, timeout: 9, mode: 'read', size: 8 } } } as const;
  const trace = await traced({
    ...timed,
    steps: [
      ['uuid', 70],
      ['start', 'r'],
      ['wait', {}],
      ['elapse', 4],
      ['wait', {}],
    ],
  });
  t.same(
    trace?.filter(([kind]) => kind === 'register' || kind === 'select').map((entry) => entry.slice(1)),
    [
      [{ mode: ['READ'], fd: 5, timeout: 0 }, 70],
      [{ mode: ['TIMEOUT'], fd: -1, timeout: 9 }, 71],
      [{ nfds: 6, read: [5], write: [], except: [], timeout: 0 }],
      [{ nfds: 6, read: [5], write: [], except: [], timeout: 5 }],
    ],
  );
});

t.test('a transfer may have its mode as a number, and end with the first of all errors', async (t) => {
  const trace = await traced({
    ...transfer,
    syscalls: { read: ['EPERM'] },
    steps: [
      ['start', 'r'],
      ['wait', { read: [5] }],
    ],
  });
  t.same(
    trace?.filter(([kind]) => kind === 'sys' || kind === 'callback'),
    [
      ['sys', 'read', 5, 0, 8, '-EPERM'],
      ['callback', 'r', 0, 'EPERM'],
    ],
  );
});

t.test('a transfer of fewer bytes than none is refused by its start, and not before', async (t) => {
  const trace = await traced({
    ...transfer,
    ios: { r: { fd: 5, timeout: 0, mode: 'read', size: -5 } },
    steps: [['start', 'r']],
  });
  t.same(trace, [
    ['return', 'start', 'r', -1],
    ['state', 'r', { running: 0, used: 0, ioId: 0, timeoutId: 0 }],
  ]);
});

t.test('a run ends at 200 firings unless its vector says otherwise, in each suite', async (t) => {
  const steps = Array.from({ length: 201 }, () => ['wait', { read: [3] }] as const);
  const agains = Array.from(steps, () => 'EAGAIN');
  const vectors: Vector[] = [
    { ...waiting, steps: [['register', 'a'], ...steps] },
    { ...waiting, dialect: 'tapdisk3', steps: [['register', 'a'], ...steps] },
    {
      ...transfer,
      ios: { r: { fd: 3, timeout: 0, mode: 'read', size: 8 } },
      syscalls: { read: agains },
      steps: [['start', 'r'], ...steps],
    },
  ];
  for (const vector of vectors) {
    const trace = await traced(vector);
    t.equal(trace?.filter(([kind]) => kind === 'fire').length, 200);
    t.same(trace?.at(-1), ['limit']);
  }
});

t.test('a label that was never registered stands for an id that no event has', async (t) => {
  const events = { ...waiting.events, b: { mode: ['READ'], fd: 4, timeout: 0 } } as const;
  const trace = await traced({
    ...waiting,
    events,
    steps: [
      ['register', 'a'],
      ['unregister', 'b'],
      ['wait', {}],
    ],
  });
  t.same(trace?.slice(1, 3), [
    ['unregister', 'b'],
    ['select', { nfds: 4, read: [3], write: [], except: [], timeout: 0 }],
  ]);
  const other: Tapdisk3Vector = { ...waiting, dialect: 'tapdisk3', events, steps: [['setTimeout', 'b', 1]] };
  t.same(await traced(other), [['setTimeout', 'b', '-EINVAL']]);
});

t.test('an action on a scheduler of tapdisk3 does nothing else', async (t) => {
  const trace = await traced({
    ...waiting,
    dialect: 'tapdisk3',
    steps: [
      ['register', 'a'],
      ['wait', {}],
      ['setTimeout', 1, 30],
      ['elapse', 70],
      ['register', 'a'],
      ['wait', {}],
    ],
  });
  t.same(trace?.slice(3, 6), [
    ['setTimeout', 1, '-EINVAL'],
    ['register', 'a', 2],
    ['select', { nfds: 4, read: [3], write: [], except: [], timeout: 600_000_000 }],
  ]);
});
