// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Repeats } from '../../src/server/repeats.js';

/** Reports on a clock that the test moves, and what was reported: the text and how many were left out before it. */
function world() {
  const clock = { seconds: 100, now: () => clock.seconds };
  const repeats = new Repeats(clock);
  const reported: (readonly [text: string, leftOut: number])[] = [];
  return {
    clock,
    tell: (cause: string, text = cause) =>
      repeats.tell(cause, (leftOut) => void reported.push([text, leftOut])),
    flush: (all: boolean) => repeats.flush(all),
    taken: () => reported.splice(0),
  };
}

t.test('the first report of each cause comes at once', async (t) => {
  const { tell, taken } = world();
  tell('a');
  tell('b');
  t.same(taken(), [
    ['a', 0],
    ['b', 0],
  ]);
});

t.test(
  'what follows within a second is held back; then the latest comes, with a count of the others',
  async (t) => {
    const { clock, flush, tell, taken } = world();
    tell('a', 'first');
    for (const text of ['second', 'third', 'fourth']) tell('a', text);
    clock.seconds += 0.9;
    flush(false);
    t.same(taken(), [['first', 0]]);
    clock.seconds += 0.1;
    flush(false);
    t.same(taken(), [['fourth', 2]]);
    tell('a', 'fifth');
    flush(false);
    t.same(taken(), [], 'the last report was just now');
    clock.seconds += 1;
    flush(false);
    flush(false);
    t.same(taken(), [['fifth', 0]]);
  },
);

t.test('a report that comes when a held one is due follows it a second later', async (t) => {
  const { clock, flush, tell, taken } = world();
  tell('a', 'first');
  tell('a', 'second');
  clock.seconds += 1;
  tell('a', 'third');
  t.same(taken(), [
    ['first', 0],
    ['second', 0],
  ]);
  clock.seconds += 1;
  flush(false);
  t.same(taken(), [['third', 0]]);
  clock.seconds += 1;
  tell('a', 'fourth');
  t.same(taken(), [['fourth', 0]]);
});

t.test('at the end all that was held back comes', async (t) => {
  const { flush, tell, taken } = world();
  for (const text of ['first', 'second', 'third']) tell('a', text);
  tell('b');
  taken();
  flush(true);
  t.same(taken(), [['third', 1]]);
  flush(true);
  t.same(taken(), []);
});

t.test('beyond 64 causes further ones count as one', async (t) => {
  const { clock, tell, taken } = world();
  for (let count = 1; count <= 64; count++) tell(`cause ${count}`);
  t.equal(taken().length, 64);
  tell('cause 65');
  tell('cause 66');
  t.same(taken(), [['cause 65', 0]]);
  clock.seconds += 1;
  tell('cause 64');
  t.same(taken(), [
    ['cause 66', 0],
    ['cause 64', 0],
  ]);
});
