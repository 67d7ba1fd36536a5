// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { pair } from '../world.js';

t.test('epochs are counted on from the last that may have been sent', async (t) => {
  const { a } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  const epoch = await a.checkpoint();
  t.ok(epoch > 0);
  t.equal(a.engine.status().epochSent, epoch);
  t.equal(await a.checkpoint(), epoch + 1, 'without a write as well');
  await a.write(8, 8, 2);
  t.equal(a.engine.status().epochSent, epoch + 1, 'a write closes none');
  a.host.crash('reset');
  a.host.restart();
  await a.until('protected');
  const next = await a.checkpoint();
  t.ok(next > epoch + 2, 'the one that was open may have been sent, as far as the metadata know');
});
