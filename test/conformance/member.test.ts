// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Member, ShapeError, shorten } from '../../src/conformance/member.js';

/** What a look at a member fails with. */
function failure(look: () => unknown): string {
  try {
    look();
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
  return 'no failure';
}

t.test('a value is shown as its JSON, cut to 60 characters unless said otherwise', async (t) => {
  t.equal(shorten(undefined), 'nothing');
  t.equal(shorten('a'.repeat(58)), `"${'a'.repeat(58)}"`);
  t.equal(shorten('a'.repeat(59)), `"${'a'.repeat(56)}...`);
  t.equal(shorten([1, 2, 3], 7), '[1,2,3]');
  t.equal(shorten([1, 2, 3], 6), '[1,...');
});

t.test('a member has the path that leads to it', async (t) => {
  const root = new Member({ steps: [['a', { 'odd name': 1 }]], ok_1: 2, '1st': 3 });
  t.equal(root.get('ok_1').path, 'ok_1');
  t.equal(root.get('1st').path, '["1st"]');
  const step = root.get('steps').array()[0] as Member;
  t.equal(step.path, 'steps[0]');
  t.equal(step.array()[1]?.get('odd name').path, 'steps[0][1]["odd name"]');
  t.equal(step.array()[1]?.get('odd name').value, 1);
  t.equal(root.get('ok_1').present, true);
  t.equal(root.get('none').present, false);
  t.equal(root.get('toString').present, false, 'what every object has is no member');
  t.same(
    root.entries().map(([key, { path }]) => [key, path]),
    [
      ['steps', 'steps'],
      ['ok_1', 'ok_1'],
      ['1st', '["1st"]'],
    ],
  );
});

t.test('a member that is not as expected is named, with what it is', async (t) => {
  const member = (value: unknown): Member => new Member(value, 'a.b');
  t.equal(
    failure(() => new Member(1).object()),
    'the vector: expected an object, got 1',
  );
  for (const value of [null, [1], 'x', undefined])
    t.match(
      failure(() => member(value).object()),
      /^a\.b: expected an object, got /,
    );
  t.equal(
    failure(() => member({}).array()),
    'a.b: expected an array, got {}',
  );
  t.equal(
    failure(() => member([1]).tuple(2, 'a pair')),
    'a.b: expected a pair, got [1]',
  );
  t.equal(member([1, 2]).tuple(2, 'a pair').length, 2);
  t.equal(
    failure(() => member(1).string()),
    'a.b: expected a string, got 1',
  );
  t.equal(
    failure(() => member(1).string('a name')),
    'a.b: expected a name, got 1',
  );
  t.equal(member('').string(), '');
  t.equal(
    failure(() => member('c').oneOf(['a', 'b'])),
    'a.b: expected one of "a", "b", got "c"',
  );
  t.equal(member('b').oneOf(['a', 'b']), 'b');
  const error = (() => {
    try {
      return member(1).fail('two');
    } catch (thrown) {
      return thrown;
    }
  })();
  t.match(error, { name: 'ShapeError', member: 'a.b', expected: 'two' });
});

t.test('numbers are finite, and whole ones in their range', async (t) => {
  const member = (value: unknown): Member => new Member(value, 'n');
  t.equal(member(1.5).number(), 1.5);
  for (const value of [Number.NaN, Infinity, '1'])
    t.match(
      failure(() => member(value).number()),
      /^n: expected a number, got /,
    );
  for (const value of [-(2 ** 31), 0, 2 ** 31 - 1]) t.equal(member(value).integer(), value);
  for (const value of [-(2 ** 31) - 1, 2 ** 31, 0.5, '1', undefined])
    t.match(
      failure(() => member(value).integer()),
      /^n: expected a whole number from -2147483648 to 2147483647, got /,
    );
  t.equal(member(3).integer(3, 4), 3);
  t.equal(member(4).integer(3, 4), 4);
  for (const value of [2, 5])
    t.equal(
      failure(() => member(value).integer(3, 4)),
      `n: expected a whole number from 3 to 4, got ${value}`,
    );
});

t.test('an object may have no members but those that are known', async (t) => {
  const root = new Member({ a: 1, b: 2 });
  t.equal(root.only(['a', 'b', 'c']), root);
  t.equal(
    failure(() => root.only(['a'])),
    'b: expected one of the members a, got "b"',
  );
  t.equal(
    failure(() => new Member({ c: 1 }, 'x').only(['a', 'b'])),
    'x.c: expected one of the members a, b, got "c"',
  );
});
