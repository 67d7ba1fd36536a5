// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type History, HISTORY_SECONDS, type Sample, SAMPLE_FIELDS } from '../wire.js';

type Column = (number | null)[];

/** The last ten minutes of a disk: what the daemon has kept, and what it has sent since. */
export class Series {
  readonly minor: number;
  #at: number[] = [];
  #columns = emptyColumns();

  constructor(minor: number) {
    this.minor = minor;
  }

  /** When each sample was taken, in seconds since 1970. */
  get at(): readonly number[] {
    return this.#at;
  }

  column(field: keyof Sample): readonly (number | null)[] {
    return this.#columns[field];
  }

  /** Takes the daemon's samples in the place of all that was known. */
  async load(): Promise<void> {
    const response = await fetch(`history.json?minor=${this.minor}`);
    // A disk that has just gone has no history.
    if (!response.ok) return;
    const { at, columns } = (await response.json()) as History;
    this.#at = [...at];
    for (const field of SAMPLE_FIELDS) this.#columns[field] = [...columns[field]];
  }

  add(at: number, sample: Sample): void {
    if (at <= (this.#at.at(-1) ?? 0)) return;
    this.#at.push(at);
    for (const field of SAMPLE_FIELDS) this.#columns[field].push(sample[field]);
    if (this.#at.length <= HISTORY_SECONDS) return;
    this.#at.shift();
    for (const field of SAMPLE_FIELDS) this.#columns[field].shift();
  }
}

function emptyColumns(): Record<keyof Sample, Column> {
  return Object.fromEntries(SAMPLE_FIELDS.map((field) => [field, []])) as unknown as Record<
    keyof Sample,
    Column
  >;
}
