// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A sector's data by its number. */
export type SectorTable = Map<bigint, Uint8Array>;

const SECTORS = 2n ** 64n;

/** Whether this many sectors from this one on have unsigned 64-bit numbers. */
export function isSectorRange(sector: bigint, count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0 && sector >= 0n && sector + BigInt(count) <= SECTORS;
}

/** The numbers in a table by rising number, cut into runs of consecutive ones. */
export function runsOf(table: SectorTable): bigint[][] {
  const runs: bigint[][] = [];
  let run: bigint[] = [];
  for (const sector of [...table.keys()].sort((one, other) => (one < other ? -1 : 1))) {
    if (sector - 1n !== run.at(-1)) {
      run = [];
      runs.push(run);
    }
    run.push(sector);
  }
  return runs;
}

interface Flight {
  /** How many writes of the sector are in flight. */
  writes: number;
  readonly data: Uint8Array | undefined;
}

/** The sectors that are being written. One may be in more than one write, where nobody keeps that from happening. */
export class FlightTable {
  readonly #flights = new Map<bigint, Flight>();

  /** @param data what is being written, to be found by {@link FlightTable.data}; undefined stores nothing, as C does */
  add(sector: bigint, data: Uint8Array | undefined): void {
    const flight = this.#flights.get(sector);
    if (flight === undefined) this.#flights.set(sector, { writes: 1, data });
    else flight.writes += 1;
  }

  /** One write of the sector has ended. */
  remove(sector: bigint): void {
    const flight = this.#flights.get(sector);
    if (flight !== undefined && flight.writes > 1) flight.writes -= 1;
    else this.#flights.delete(sector);
  }

  data(sector: bigint): Uint8Array | undefined {
    return this.#flights.get(sector)?.data;
  }

  /** The sectors by rising number, one that is in several writes as often. */
  sectors(): bigint[] {
    return [...this.#flights]
      .flatMap(([sector, { writes }]) => Array.from({ length: writes }, () => sector))
      .sort((one, other) => (one < other ? -1 : 1));
  }
}
