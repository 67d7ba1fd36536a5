// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { TracedRegistrar } from '../../src/conformance/traced-registrar.js';

t.test('the maximum time of a wait is passed on, and so is the result', async (t) => {
  const passed: number[] = [];
  const registrar = {
    registerEvent: () => 1,
    unregisterEvent() {},
    setMaxTimeout(seconds: number) {
      passed.push(seconds);
      return -22;
    },
  };
  const traced = new TracedRegistrar(registrar, {
    record: () => t.fail('it has no entry'),
    refuse: () => 0,
    handled() {},
  });
  t.equal(traced.setMaxTimeout(7), -22);
  t.same(passed, [7]);
});
