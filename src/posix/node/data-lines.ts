// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { MapLines } from './map-lines.js';

const DATA = /^data (?<start>\d+) (?<end>\d+)$/;
const END = /^end (?<count>\d+)$/;

/** Reads `data START END` for each extent and `end COUNT` after the last one, as `SEEK_SCRIPT` prints them. */
export class DataLines extends MapLines {
  #hadEnd = false;

  constructor() {
    super('perl');
  }

  protected override get isEnded(): boolean {
    return this.#hadEnd;
  }

  protected override get isWhole(): boolean {
    return this.#hadEnd;
  }

  protected override line(line: string): void {
    const data = DATA.exec(line)?.groups;
    const count = END.exec(line)?.groups?.['count'];
    if (data) this.extent(Number(data['start']), Number(data['end']));
    else if (Number(count) === this.extents && !this.#hadEnd) this.#hadEnd = true;
    else this.failLine(line);
  }
}
