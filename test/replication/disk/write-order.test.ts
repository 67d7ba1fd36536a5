// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { pair } from './world.js';

t.test(
  'a write whose bits are set does not pass an earlier one of its sectors that waits for the map',
  async (t) => {
    const { a, b, world } = pair(t);
    await a.until('protected');
    await a.write(0, 8, 1);
    // The first of the two also needs the bits of grains that were never written.
    const results = [a.engine, a.engine].map(
      (engine, index) =>
        new Promise<number>((resolve) => {
          engine.write(0, new Uint8Array((index === 0 ? 1000 : 8) * 512).fill(index + 2), resolve);
        }),
    );
    t.same(await world.complete(Promise.all(results)), [0, 0]);
    t.equal((await a.read(0, 1))[0], 3);
    t.equal((await a.read(8, 1))[0], 2);
    await a.checkpoint();
    t.ok((await b.read()).equals(await a.read()), 'the backup has the same order');
  },
);
