// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { ReplicationEvent } from '../../../src/replication/disk/events.js';
import { Reporter } from '../../../src/replication/disk/reporter.js';
import { LOG_NOTICE, LOG_WARNING } from '../../../src/server/logger.js';

/** A reporter, what it logs, what a listener hears, and its clock. */
function reporter() {
  const logged: [number, string][] = [];
  const events: ReplicationEvent[] = [];
  const clock = { now: 100 };
  const its = new Reporter(() => clock.now, { log: (priority, message) => logged.push([priority, message]) });
  const stop = its.onEvent((event) => events.push(event));
  return { its, logged, events, clock, stop };
}

t.test('a change of state is reported once, with its time, its role and its reason', async (t) => {
  const { its, events, clock, logged } = reporter();
  t.same([its.reason, its.sinceSeconds], ['not open', 100]);
  its.state('unprotected', 'primary', 'opened');
  t.same(events, [], 'the first state is no change');
  clock.now = 105;
  its.state('unprotected', 'primary', 'again');
  t.same([its.reason, its.sinceSeconds], ['opened', 100], 'the same state is no news');
  its.state('protected', 'primary', 'all is there');
  t.same(events, [
    {
      kind: 'state',
      from: 'unprotected',
      to: 'protected',
      role: 'primary',
      reason: 'all is there',
      atSeconds: 105,
    },
  ]);
  t.same([its.reason, its.sinceSeconds], ['all is there', 105]);
  t.same(logged, [
    [LOG_WARNING, 'replication: unprotected (was closed): opened'],
    [LOG_NOTICE, 'replication: protected (was unprotected): all is there'],
  ]);
});

t.test('states that need somebody are logged as warnings', async (t) => {
  const { its, logged } = reporter();
  const states = [
    'backup',
    'stale',
    'catching-up',
    'split-brain',
    'protected',
    'inconsistent',
    'backup',
    'failed',
  ] as const;
  for (const state of states) its.state(state, 'primary', 'x');
  const loud = logged.flatMap(([priority], index) => (priority === LOG_WARNING ? [states[index]] : []));
  t.same(loud, ['stale', 'split-brain', 'inconsistent', 'failed']);
});

t.test('what was repaired, or failed without a change of state, is the last error', async (t) => {
  const { its, events, logged } = reporter();
  t.equal(its.lastError, null);
  its.notice('a copy was damaged');
  t.equal(its.lastError, 'a copy was damaged');
  t.same(events, [{ kind: 'error', message: 'a copy was damaged', atSeconds: 100 }]);
  t.same(logged, [[LOG_WARNING, 'replication: a copy was damaged']]);
  t.equal(events.length, 1);
});

t.test('a listener hears nothing once it has stopped, even while others are called', async (t) => {
  const { its, events, stop } = reporter();
  const other = its.onEvent(() => {
    stop();
    other();
  });
  its.notice('one');
  its.notice('two');
  t.equal(events.length, 1);
});

t.test('a listener that is added by another hears of the next event first', async (t) => {
  const { its } = reporter();
  const heard: string[] = [];
  const stop = its.onEvent(() => {
    stop();
    its.onEvent((event) => heard.push(event.kind === 'error' ? event.message : event.kind));
  });
  its.notice('one');
  its.notice('two');
  t.same(heard, ['two']);
});

t.test('an error that is why the state has changed is one line of the log', (t) => {
  const { its, logged, events } = reporter();
  its.state('failed', 'primary', 'cannot write the map: EIO');
  its.notice('cannot write the map: EIO');
  its.notice('another error');
  its.error('an error that somebody else logs');
  t.same(logged, [
    [LOG_WARNING, 'replication: failed (was closed): cannot write the map: EIO'],
    [LOG_WARNING, 'replication: another error'],
  ]);
  t.equal(events.length, 3, 'listeners hear of each');
  t.equal(its.lastError, 'an error that somebody else logs');
  t.end();
});
