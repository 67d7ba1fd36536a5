// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CacheName, RamdiskStep, RamdiskVector, Trace, TraceEntry } from './vector.js';

/** Data by sector number, both as a vector has them. */
type Sectors = Map<number, number>;

interface Write {
  readonly sectors: readonly number[];
  readonly data: readonly number[];
  ended: boolean;
}

/** Runs a script of the suites `ramdisk` and `ramdisk-guarded` on the naive ramdisk. */
export function runReferenceRamdisk(vector: RamdiskVector): Trace {
  const disk = new ReferenceRamdisk(vector.suite === 'ramdisk-guarded');
  vector.steps.every((step) => disk.play(step));
  return disk.trace;
}

/** The rules K as literally as they can be had: what is in flight are the writes that have not ended. */
export class ReferenceRamdisk {
  readonly trace: TraceEntry[] = [];
  readonly #guarded: boolean;
  #caches: Record<CacheName, Sectors | null> = { primary: new Map(), secondary: new Map() };
  #pending: Sectors = new Map();
  readonly #writes: Write[] = [];
  /** The table in flight has come into being. */
  #hasFlown = false;

  constructor(guarded: boolean) {
    this.#guarded = guarded;
    this.#returned('init', 0);
  }

  /** The numbers of the writes that have not ended. */
  get inFlight(): number[] {
    return [...this.#writes.keys()].filter((write) => !this.#writes[write]?.ended);
  }

  /** Plays a step. Returns whether the process goes on. */
  play(step: RamdiskStep): boolean {
    switch (step[0]) {
      case 'cacheWrite':
        for (const [index, data] of step[3].entries()) this.#caches[step[1]]?.set(step[2] + index, data);
        return this.#returned(step[0], 0);
      case 'readFromCache':
        return this.#returned(
          step[0],
          this.#read(step[2], step[3], (sector) => this.#caches[step[1]]?.get(sector)),
        );
      case 'clearCache':
        this.#caches[step[1]]?.clear();
        return this.#returned(step[0], 0);
      case 'startFlush':
        return this.#startFlush(step[1]);
      case 'flushPended':
        this.#flush();
        return this.#returned(step[0], 0);
      case 'complete':
        return this.#complete(step[1], step[2] === 0);
      case 'read':
        return this.#returned(
          step[0],
          this.#read(step[1], step[2], (sector) => this.#pending.get(sector) ?? this.#flying(sector)),
        );
      case 'writesInflight':
        return this.#returned(step[0], this.#isBusy ? 1 : 0);
      case 'destroy':
        return this.#destroy();
    }
  }

  get #isBusy(): boolean {
    return this.inFlight.length > 0 || this.#pending.size > 0;
  }

  /** The data of a sector in flight; without the guard the table stores none. */
  #flying(sector: number): number | undefined {
    if (!this.#guarded) return undefined;
    for (const number of this.inFlight) {
      const { sectors, data } = this.#writes[number] as Write;
      if (sectors.includes(sector)) return data[sectors.indexOf(sector)];
    }
    return undefined;
  }

  #read(
    first: number,
    count: number,
    find: (sector: number) => number | undefined,
  ): number | (number | undefined)[] {
    const found = Array.from({ length: count }, (_, index) => find(first + index));
    return found.includes(undefined) ? -1 : found;
  }

  #startFlush(name: CacheName): boolean {
    const cache = this.#caches[name];
    if (cache !== null && cache.size > 0) {
      for (const [sector, data] of cache) this.#pending.set(sector, data);
      cache.clear();
      this.#flush();
    }
    return this.#returned('startFlush', 0);
  }

  #flush(): void {
    const left = sorted(this.#pending.keys());
    this.#hasFlown ||= left.length > 0;
    while (left.length > 0) {
      const run = left.splice(0, 1);
      while (left[0] === run.length + (run[0] as number)) run.push(...left.splice(0, 1));
      if (run.some((sector) => this.#flying(sector) !== undefined)) {
        this.trace.push(['log', 'DEBUG'], ['log', 'ERR']);
        continue;
      }
      const data = run.map((sector) => this.#pending.get(sector) as number);
      this.trace.push(['write', this.#writes.length, run[0], data]);
      this.#writes.push({ sectors: run, data, ended: false });
      for (const sector of run) this.#pending.delete(sector);
    }
  }

  #complete(number: number, good: boolean): boolean {
    if (!good) {
      this.trace.push(['log', 'ERR'], ['exit', -1]);
      return false;
    }
    const write = this.#writes[number];
    if (write === undefined) throw new Error(`write ${number} ends, but was not issued`);
    write.ended = true;
    if (this.inFlight.length === 0) this.#flush();
    return this.#returned('complete', null);
  }

  #destroy(): boolean {
    if (this.#isBusy) this.trace.push(['log', 'ERR']);
    else {
      this.#caches = { ...this.#caches, primary: null };
      this.#hasFlown = false;
    }
    return this.#returned('destroy', null);
  }

  #returned(step: string, value: unknown): true {
    const flying = this.inFlight.flatMap((number) => this.#writes[number]?.sectors ?? []);
    this.trace.push(
      ['return', step, value],
      [
        'state',
        {
          inflight: this.inFlight.length,
          prev: this.#pending.size > 0 ? sorted(this.#pending.keys()) : null,
          inprogress: this.#hasFlown ? sorted(flying) : null,
          primary: this.#caches.primary && sorted(this.#caches.primary.keys()),
          secondary: this.#caches.secondary && sorted(this.#caches.secondary.keys()),
        },
      ],
    );
    return true;
  }
}

function sorted(sectors: Iterable<number>): number[] {
  return [...sectors].sort((one, other) => one - other);
}
