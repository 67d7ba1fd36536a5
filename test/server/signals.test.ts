// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { onSignals } from '../../src/server/signals.js';

// One that tap has no listener for.
const SIGNAL = 'SIGURG';
const emit = (): unknown => process.emit(SIGNAL, SIGNAL);
const listeners = (): number => process.listenerCount(SIGNAL);

t.test('each handler is called, in the order of their installation, until it is removed', async (t) => {
  const calls: string[] = [];
  const first = onSignals({ [SIGNAL]: () => calls.push('first') });
  const second = onSignals({ [SIGNAL]: () => calls.push('second') });
  emit();
  first[Symbol.dispose]();
  emit();
  t.same(calls.splice(0), ['first', 'second', 'second']);
  second[Symbol.dispose]();
  t.equal(listeners(), 0);
});

t.test(
  'however many handlers there are, the process has one listener, and none after the last',
  async (t) => {
    const handler = (): void => {};
    const all = Array.from({ length: 12 }, () => onSignals({ [SIGNAL]: handler }));
    t.equal(listeners(), 1);
    for (const each of all) {
      t.equal(listeners(), 1);
      each[Symbol.dispose]();
    }
    t.equal(listeners(), 0);
  },
);

t.test('the same function may be installed twice, and each is removed for itself', async (t) => {
  let calls = 0;
  const handler = (): void => void (calls += 1);
  const one = onSignals({ [SIGNAL]: handler });
  const other = onSignals({ [SIGNAL]: handler });
  emit();
  t.equal(calls, 2);
  one[Symbol.dispose]();
  emit();
  t.equal(calls, 3);
  other[Symbol.dispose]();
});

t.test('removing a handler again changes nothing for those installed since', async (t) => {
  const old = onSignals({ [SIGNAL]: () => t.fail('it was removed') });
  old[Symbol.dispose]();
  let calls = 0;
  const next = onSignals({ [SIGNAL]: () => (calls += 1) });
  old[Symbol.dispose]();
  const last = onSignals({ [SIGNAL]: () => (calls += 10) });
  t.equal(listeners(), 1);
  emit();
  t.equal(calls, 11);
  next[Symbol.dispose]();
  last[Symbol.dispose]();
  t.equal(listeners(), 0);
});

t.test('a handler may remove others while the signal is being handled', async (t) => {
  const calls: string[] = [];
  const all = { second: undefined as Disposable | undefined };
  const first = onSignals({
    [SIGNAL]: () => {
      calls.push('first');
      all.second?.[Symbol.dispose]();
    },
  });
  all.second = onSignals({ [SIGNAL]: () => calls.push('second') });
  using _third = onSignals({ [SIGNAL]: () => calls.push('third') });
  emit();
  emit();
  t.same(calls, ['first', 'second', 'third', 'first', 'third'], 'from the next signal on');
  first[Symbol.dispose]();
});
