// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { VbdRequest } from './request.js';
import { WaitingList } from './waiting-list.js';

/**
 * Waiting requests, one line per client. Clients take turns, one request each, so that a client with one request waits for
 * at most one of every other client, however many of them those have. The requests of a client keep their order.
 */
export class WaitingLines {
  /** None of them is empty; the next client to have its turn comes first. */
  readonly #lines = new Map<object | undefined, WaitingList>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a request at the end of its client's line. */
  push(request: VbdRequest): void {
    this.#lineOf(request).push(request);
    this.#length++;
  }

  /** Adds a request at the front of its client's line. */
  unshift(request: VbdRequest): void {
    this.#lineOf(request).unshift(request);
    this.#length++;
  }

  /** Takes the first request of the next client whose first request may go; undefined if there is none. */
  take(mayGo: (request: VbdRequest) => boolean = () => true): VbdRequest | undefined {
    for (const [client, line] of this.#lines) {
      const { first } = line;
      if (!first || !mayGo(first)) continue;
      line.shift();
      this.#length--;
      if (!line.first) this.#lines.delete(client);
      else if (this.#lines.size > 1) {
        this.#lines.delete(client);
        this.#lines.set(client, line);
      }
      return first;
    }
    return undefined;
  }

  #lineOf({ client }: VbdRequest): WaitingList {
    let line = this.#lines.get(client);
    if (!line) {
      line = new WaitingList();
      this.#lines.set(client, line);
    }
    return line;
  }
}
