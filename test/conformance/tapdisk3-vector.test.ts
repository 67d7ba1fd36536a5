// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { faultsOf } from './vector-faults.js';

const tapdisk2 = {
  suite: 'scheduler',
  name: 'one',
  clock: 1000,
  events: { a: { mode: ['READ'], fd: 3, timeout: 0 } },
  steps: [['register', 'a']],
  trace: [['register', 'a', 1]],
};
const tapdisk3 = {
  suite: 'scheduler',
  dialect: 'tapdisk3',
  name: 'one',
  clock: -1,
  events: { a: { mode: ['TIMEOUT'], fd: -1, timeout: 2 ** 52, on: [[['wait', {}]]] } },
  steps: [['register', 'a']],
  trace: [['panic']],
};

t.test("a vector of tapdisk3's dialect with all that the format knows is taken", async (t) => {
  const full = {
    ...tapdisk3,
    name: 'full',
    uuid: -5,
    bug: 'B1',
    steps: [
      ['mask', 'a', true],
      ['mask', 7, -3],
      ['setTimeout', 'a', -1],
      ['setTimeout', 0, 2 ** 40],
      ['setMaxTimeout', 2 ** 40],
      ['elapse', -(2 ** 40)],
      ['uuid', 0],
      ['wait', { errno: 'EINTR', elapse: 1 }, {}, { read: [3] }],
    ],
    trace: [
      ['mask', 'a', true],
      ['setTimeout', 'a', 0],
      ['select', {}],
      ['fire', 'a', 1, 'READ|WRITE'],
      ['wait', 0],
      ['limit'],
      ['panic'],
    ],
  };
  t.same(faultsOf([tapdisk3, full]), []);
  t.same(faultsOf([tapdisk3, { ...tapdisk2, dialect: 'tapdisk2' }]), [], 'a name of its own in each dialect');
  t.match(faultsOf([tapdisk3, tapdisk3]), [['scheduler/tapdisk3/one', 'name', /no other vector/]]);
});

t.test("a fault in a vector of tapdisk3's dialect names what was expected there", async (t) => {
  const step = (...steps: unknown[]): object => ({ ...tapdisk3, steps });
  for (const [content, member, message] of [
    [
      { ...tapdisk3, dialect: 'tapdisk4' },
      'dialect',
      /expected one of "tapdisk2", "tapdisk3", got "tapdisk4"/,
    ],
    [{ ...tapdisk3, clock: 0.5 }, 'clock', /expected a whole number .* got 0.5/],
    [{ ...tapdisk3, uuid: 2 ** 31 }, 'uuid', /expected a whole number/],
    [{ ...tapdisk3, bug: 1 }, 'bug', /expected a string, got 1/],
    [{ ...tapdisk3, limit: 0 }, 'limit', /expected a whole number from 1/],
    [step(['mask', 'b', true]), 'steps[0][1]', /expected one of "a", got "b"/],
    [step(['mask', 'a', 'on']), 'steps[0][2]', /expected a whole number .* got "on"/],
    [step(['mask', 'a']), 'steps[0]', /expected mask and its arguments/],
    [step(['setTimeout', 'a', 0.5]), 'steps[0][2]', /expected a whole number/],
    [step(['wait']), 'steps[0]', /expected wait and at least one answer/],
    [step(['wait', {}, { reads: [] }]), 'steps[0][2].reads', /expected one of the members read/],
    [{ ...tapdisk3, trace: [['return', 0]] }, 'trace[0][0]', /expected one of .*"panic", got "return"/],
    [{ ...tapdisk2, steps: [['mask', 'a', true]] }, 'steps[0][0]', /expected one of .*, got "mask"/],
    [{ ...tapdisk2, steps: [['wait', {}, {}]] }, 'steps[0]', /expected wait and its argument/],
    [{ ...tapdisk2, trace: [['panic']] }, 'trace[0][0]', /expected one of .*, got "panic"/],
  ] as const) {
    t.match(faultsOf([content]), [[/^scheduler\//, member, message]]);
  }
});
