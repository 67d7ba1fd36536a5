// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { pair } from './world.js';

t.test('a primary that comes back while its backup is being promoted is not protected by it', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  world.link(a.host, b.host).cut().reset();
  await a.until('unprotected');
  await b.until('backup');
  await world.run(6);
  // The promotion takes its time, in which the primary could connect.
  b.host.files.stall(5);
  const promoted = new Promise<number>((resolve) => {
    b.engine.promote({}, ({ result }) => resolve(result));
  });
  world.link(a.host, b.host).heal();
  const states = new Set<string>();
  a.engine.onEvent((event) => event.kind === 'state' && states.add(event.to));
  t.equal(await world.complete(promoted), 0);
  await world.run(30);
  t.equal(a.engine.status().state, 'stale', 'they have met, and know what they are');
  t.notOk(states.has('protected'));
});
