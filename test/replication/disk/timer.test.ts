// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Timer } from '../../../src/replication/disk/timer.js';
import { SimulatedWorld } from '../../../src/testing/index.js';

t.test('a closed timer does not affect the new owner of its number', async (t) => {
  const world = new SimulatedWorld({ seed: 1 });
  const host = world.host('10.0.0.1');
  const parts = { registrar: host.serve(), posix: host.posix };
  const due: string[] = [];
  const first = new Timer(parts, () => due.push('first'));
  first.set(1);
  first.close();
  const second = new Timer(parts, () => due.push('second'));
  second.set(2);
  first.set(1);
  t.notOk(first.isSet);
  first.close();
  await world.run(3);
  t.same(due, ['second']);
  second.close();
});
