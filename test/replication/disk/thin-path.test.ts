// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { pair } from './world.js';

t.test('the backup shows exactly the writes before its checkpoint', async (t) => {
  const { a, b } = pair(t);
  await a.until('protected');
  t.equal(await a.write(10, 4, 1), 0);
  t.ok((await a.checkpoint()) > 0);
  const committed = await b.read();
  t.ok(committed.subarray(10 * 512, 14 * 512).equals(Buffer.alloc(4 * 512, 1)));
  await a.write(12, 4, 2);
  t.ok((await b.read()).equals(committed), 'the open checkpoint is not shown');
  await a.checkpoint();
  t.ok((await b.read()).equals(await a.read()), 'both sides are equal at the checkpoint');
});
