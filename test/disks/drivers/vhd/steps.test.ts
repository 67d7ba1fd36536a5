// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { immediate, promiseOf, runSteps, type Steps, wait } from '../../../../src/disks/drivers/vhd/steps.js';

t.test('steps go on when their calls complete, at once or later, without a deeper stack', async (t) => {
  let later: (() => void) | undefined;
  function* steps(): Steps<number> {
    let sum = yield* immediate(1);
    for (let count = 0; count < 50_000; count++) sum += yield* wait<number>((done) => done(1));
    sum += yield* wait<number>((done) => (later = () => done(7)));
    return sum;
  }
  const outcomes: unknown[] = [];
  runSteps(steps(), (outcome) => outcomes.push(outcome));
  t.same(outcomes, []);
  later?.();
  t.same(outcomes, [{ value: 50_008 }]);
  t.equal(await promiseOf(immediate('a')), 'a');
});

t.test('steps do not go on before their call has completed', async (t) => {
  const steps = wait<number>(() => {});
  steps.next();
  t.throws(() => steps.next(), { message: 'steps went on before their call completed' });
});

t.test('what steps throw ends them', async (t) => {
  function* failing(): Steps<void> {
    yield* wait<number>((done) => done(1));
    throw new Error('no');
  }
  await t.rejects(promiseOf(failing()), /^no$/);
  function* throwing(): Steps<void> {
    yield* wait<number>(() => {
      throw new Error('a call');
    });
  }
  await t.rejects(promiseOf(throwing()), /a call/);
});
