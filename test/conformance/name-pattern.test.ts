// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { matchesName } from '../../src/conformance/name-pattern.js';

t.test('a text matches anywhere in the name', async (t) => {
  t.ok(matchesName('timer', 'scheduler/a-timer-fires'));
  t.ok(matchesName('', 'scheduler/any'));
  t.ok(matchesName('a.b', 'x/a.b'));
  t.notOk(matchesName('a.b', 'x/acb'), 'a dot is a dot');
});

t.test('with * and ? the pattern matches the whole name', async (t) => {
  t.ok(matchesName('scheduler/*', 'scheduler/timer'));
  t.notOk(matchesName('cheduler/*', 'scheduler/timer'));
  t.ok(matchesName('*/t?mer', 'scheduler/timer'));
  t.notOk(matchesName('*/t?mer', 'scheduler/tmer'));
  t.ok(matchesName('*a*b*', 'xaybz'));
  t.notOk(matchesName('*a*b', 'xaybz'));
  t.notOk(matchesName('ab*bc', 'abc'), 'no character counts for two parts of a pattern');
  t.ok(matchesName('ab*bc', 'abbc'));
  t.ok(matchesName('**', ''));
  t.ok(matchesName('*?', '日'));
});

t.test('a hostile pattern over a hostile name ends', async (t) => {
  const name = 'a'.repeat(20_000);
  t.notOk(matchesName(`${'*a'.repeat(2_000)}*b`, name));
  t.notOk(matchesName('(a+)+$', `${name}!`));
});
