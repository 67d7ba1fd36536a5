// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ScriptedClock } from '../../src/conformance/scripted-clock.js';
import { inMicroseconds, ScriptedPoller } from '../../src/conformance/scripted-poller.js';
import type { TraceEntry } from '../../src/conformance/vector.js';
import { errno, EXCEPTIONAL, READABLE, type ReadyDescriptor, WRITABLE } from '../../src/posix/index.js';

/** A poller with its clock at 100, and what it leaves in a trace. */
function scripted(...further: [timeoutOf?: (seconds: number) => number, least?: number]) {
  const clock = new ScriptedClock(100);
  const trace: TraceEntry[] = [];
  const poller = new ScriptedPoller(clock, (entry) => trace.push(entry), ...further);
  const select = (seconds: number): Promise<readonly ReadyDescriptor[] | number> =>
    new Promise((resolve) => {
      poller.select(seconds, resolve);
    });
  return { clock, trace, poller, select };
}

t.test('of what a script lists that is ready which was asked for, in each condition', async (t) => {
  const { clock, trace, poller, select } = scripted();
  poller.setInterest(9, READABLE | WRITABLE);
  poller.setInterest(4, READABLE | EXCEPTIONAL);
  poller.answerNext({ elapse: 3, read: [4, 7, 9], write: [4, 9], except: [4, 9] });
  t.same(await select(5), [
    { fd: 4, conditions: READABLE | EXCEPTIONAL },
    { fd: 9, conditions: READABLE | WRITABLE },
  ]);
  t.equal(clock.now(), 103);
  t.same(trace, [['select', { nfds: 10, read: [4, 9], write: [9], except: [4], timeout: 5 }]]);
  poller.close();
  poller.answerNext({ read: [4] });
  t.same(await select(5), [], 'nothing is asked for any more');
  t.same(trace[1], ['select', { nfds: 1, read: [], write: [], except: [], timeout: 5 }]);
});

t.test('an error is the result, whatever is ready', async (t) => {
  const { clock, poller, select } = scripted();
  poller.setInterest(4, READABLE);
  poller.answerNext({ elapse: 1, errno: 'EINTR', read: [4] });
  t.equal(await select(5), -errno.EINTR);
  t.equal(clock.now(), 101);
});

t.test('a select that the script does not have is an error', async (t) => {
  const { clock, poller, select } = scripted();
  t.throws(() => poller.select(1, () => {}), {
    message: /select was called without a wait, or twice in one/,
  });
  poller.answerNext({});
  t.same(await select(1), []);
  t.equal(clock.now(), 100, 'no time passes unless the script says so');
  t.same(poller.badDescriptors(), []);
  t.throws(() => poller.select(1, () => {}), { message: /twice in one/ });
});

t.test('a wait has its answers in order, and nothing is ready after them', async (t) => {
  const { poller, select } = scripted();
  poller.setInterest(4, READABLE);
  poller.answerWait([{ read: [4] }, { errno: 'EBADF' }]);
  const ready = [{ fd: 4, conditions: READABLE }];
  t.same([await select(1), await select(1), await select(1), await select(1)], [ready, -errno.EBADF, [], []]);
});

t.test('an answer may be made of what is asked for', async (t) => {
  const { poller, select } = scripted();
  poller.setInterest(4, READABLE);
  poller.setInterest(6, WRITABLE);
  poller.answerNext((interest) => ({ write: interest.descriptors(WRITABLE), read: [6] }));
  t.same(await select(1), [{ fd: 6, conditions: WRITABLE }]);
});

t.test('what a trace has of the timeout and of no descriptor is the dialect’s', async (t) => {
  const { trace, poller, select } = scripted(inMicroseconds, -1);
  poller.answerWait([]);
  await select(0.1 + 0.2);
  t.same(trace, [['select', { nfds: 0, read: [], write: [], except: [], timeout: 300_000 }]]);
  t.equal(inMicroseconds(1e-6), 1);
});
