// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { pair } from './world.js';

const GRAIN_SECTORS = 128;
const GRAIN_BYTES = GRAIN_SECTORS * 512;

t.test(
  'a primary that loses its power while protected sends what it may have written since, and not the whole disk',
  async (t) => {
    const { a, b } = pair(t);
    await a.until('protected');
    for (let grain = 0; grain < 32; grain++) await a.write(grain * GRAIN_SECTORS, GRAIN_SECTORS, grain + 1);
    await a.checkpoint();
    // Closed in order, nothing is left that may differ.
    await a.call((done) => a.engine.close(done));
    a.host.restart();
    await a.until('protected');
    t.equal(a.engine.status().resyncBytesTotal, 0, 'nothing differs after an orderly end');
    await a.write(3 * GRAIN_SECTORS, 8, 77);
    await a.checkpoint();
    await a.write(5 * GRAIN_SECTORS, 8, 78);
    a.host.crash('silence');
    await b.until('backup');
    a.host.restart();
    await a.until('protected');
    const { resyncBytesTotal } = a.engine.status();
    // Bits ahead of a stream of writes are the only ones beside.
    t.ok(
      resyncBytesTotal >= 2 * GRAIN_BYTES && resyncBytesTotal <= 4 * GRAIN_BYTES,
      `${resyncBytesTotal} bytes`,
    );
    await a.checkpoint();
    t.ok((await b.read()).equals(await a.read()));
  },
);
