// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Lookup } from '../posix/shared/name-resolver.js';

/** What a name stands for. */
export interface NameRecord {
  /** Numeric addresses, in the resolver's order; none: the name exists and has no address. */
  readonly addresses?: readonly string[];
  /** How long a lookup takes; Infinity: it never comes back. The service's own latency unless given. */
  readonly afterSeconds?: number;
  /** The lookup fails: the name does not exist, the resolver is away for now, or it is broken. */
  readonly failure?: 'ENOTFOUND' | 'EAI_AGAIN' | 'EAI_FAIL';
}

const DEFAULT_LATENCY_SECONDS = 0.002;

/** The names that a simulated world knows. A name that was never set does not exist (EAI_NONAME). */
export class NameService {
  readonly #records = new Map<string, NameRecord>([
    ['localhost', { addresses: ['::1', '127.0.0.1'], afterSeconds: 0 }],
  ]);

  private readonly later: (seconds: number, action: () => void) => void;

  /** @param later has something happen after a virtual while */
  constructor(later: (seconds: number, action: () => void) => void) {
    this.later = later;
  }

  /** From now on; undefined takes the name away. */
  set(name: string, record: NameRecord | undefined): void {
    if (record === undefined) this.#records.delete(name);
    else this.#records.set(name, record);
  }

  /** Looks a name up in virtual time, as {@link Lookup} says. */
  readonly lookup: Lookup = (name) => {
    const record = this.#records.get(name) ?? { failure: 'ENOTFOUND' };
    const { addresses = [], afterSeconds = DEFAULT_LATENCY_SECONDS, failure } = record;
    return new Promise((resolve, reject) => {
      if (afterSeconds === Infinity) return;
      this.later(afterSeconds, () => {
        if (failure === undefined) resolve(addresses.map((address) => ({ address })));
        else reject(Object.assign(new Error(`lookup of ${name}: ${failure}`), { code: failure }));
      });
    });
  };
}
