// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/errno.js';
import { pair } from './world.js';

for (const nth of [1, 2, 3]) {
  t.test(
    `a backup whose promotion cannot be written is none any more: it may be a primary (sync ${nth})`,
    async (t) => {
      const { a, b, world } = pair(t);
      await a.until('protected');
      world.link(a.host, b.host).cut().reset();
      await world.run(7);
      const fault = b.host.files.failCalls({ calls: ['fdatasync'], nth, error: errno.EIO });
      const { result } = await b.command((done) => b.engine.promote({}, done));
      if (fault.failed === 0) t.equal(result, 0, 'that sync was not needed');
      else t.same([result, b.engine.status().state], [-errno.EIO, 'failed']);
      fault.cancel();
      world.link(a.host, b.host).heal();
      await world.run(5);
      t.not(a.engine.status().state, 'protected');
    },
  );
}
