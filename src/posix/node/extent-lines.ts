// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { MapLines } from './map-lines.js';

const EXTENT =
  /^ *(?<index>\d+): *(?<first>\d+)\.\. *(?<last>\d+): *\d+\.\. *\d+: *(?<length>\d+):(?: *\d+:)? *(?<flags>[\w,]*)$/;
const HEADER = /^(?:Filesystem type is: |File size of | ext: )/;
const SUMMARY = /: (?<count>\d+) extents? found$/;

/** Reads the output of `filefrag -v -b1`. */
export class ExtentLines extends MapLines {
  #hadLast = false;
  #summary: number | undefined;

  constructor() {
    super('filefrag');
  }

  protected override get isEnded(): boolean {
    return this.#hadLast;
  }

  protected override get isWhole(): boolean {
    // An empty map has no last extent, but says that it is empty.
    const isWhole = this.#summary !== undefined && this.#hadLast === this.extents > 0;
    return isWhole && (this.extents > 0 || this.#summary === 0);
  }

  protected override line(line: string): void {
    const extent = EXTENT.exec(line)?.groups;
    if (extent) {
      const start = Number(extent['first']);
      const end = Number(extent['last']) + 1;
      const isNext = Number(extent['index']) === this.extents && Number(extent['length']) === end - start;
      if (isNext) this.extent(start, end);
      else this.failLine(line);
      this.#hadLast ||= (extent['flags'] ?? '').split(',').includes('last');
      return;
    }
    const count = SUMMARY.exec(line)?.groups?.['count'];
    if (count !== undefined) this.#summary = Number(count);
    else if (!HEADER.test(line)) this.failLine(line);
  }
}
