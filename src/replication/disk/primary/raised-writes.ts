// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { Grains } from './grains.js';
import type { HotGrains } from './hot-grains.js';
import type { PendingWrite, PrimaryParts } from './primary-parts.js';
import { SectorOrder } from './sector-order.js';

/** Writes that wait until their bits in the dirty map are durable. */
export class RaisedWrites {
  readonly #parts: PrimaryParts;
  readonly #grains: Grains;
  readonly #hot: HotGrains;
  /** Writes whose bits are not durable yet, and those that must not pass them. */
  readonly #waiting: SectorOrder<PendingWrite>;

  /** @param go called with a write once its bits are durable, and after every earlier write of its sectors */
  constructor(parts: PrimaryParts, grains: Grains, hot: HotGrains, go: (write: PendingWrite) => void) {
    this.#parts = parts;
    this.#grains = grains;
    this.#hot = hot;
    this.#waiting = new SectorOrder(go);
  }

  add(write: PendingWrite): void {
    const { map, disk } = this.#parts;
    const from = this.#grains.first(write.sector);
    const to = this.#grains.last(write.sector, write.sectors);
    // Its bits may not fall while it waits for anything.
    this.#grains.begin(from, to);
    if (map.has(from, to)) {
      this.#waiting.add(write, true);
      return;
    }
    this.#waiting.add(write, false);
    const last = Math.floor((disk.sectors - 1) / this.#grains.sectorsEach);
    const ahead = Math.min(to + this.#hot.ahead(from, to), last);
    for (let grain = to + 1; grain <= ahead; grain++) this.#hot.touch(grain);
    map.raise(from, ahead, (result) => {
      if (result === 0) this.#waiting.isReady(write);
      else {
        this.#waiting.drop(write);
        this.#parts.events.failed('write the map', result);
        this.#grains.end(from, to);
        write.done(-errno.EIO);
      }
    });
  }
}
