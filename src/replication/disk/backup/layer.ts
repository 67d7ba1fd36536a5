// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SectorMap } from './sector-map.js';

/** What one or several committed checkpoints have that is not on the image. */
export class Layer {
  readonly map = new SectorMap();
  /** The last checkpoint's. */
  epoch: number;
  /** The last checkpoint's, as the journal counts them. */
  number: number;
  /** The first segment of the journal that it has records in; Infinity: none. */
  firstSegment = Infinity;
  /** The resync whose file it needs; undefined: none. */
  resyncId: string | undefined;

  constructor(epoch: number, number: number) {
    this.epoch = epoch;
    this.number = number;
  }
}
