// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { VbdRequest } from './request.js';

/** One line of waiting requests, linked through them. Taking from the front and adding at either end cost the same at any length. */
export class WaitingList {
  #first: VbdRequest | undefined;
  #last: VbdRequest | undefined;

  get first(): VbdRequest | undefined {
    return this.#first;
  }

  push(request: VbdRequest): void {
    if (this.#last) this.#last.next = request;
    else this.#first = request;
    this.#last = request;
  }

  unshift(request: VbdRequest): void {
    request.next = this.#first;
    this.#first = request;
    this.#last ??= request;
  }

  shift(): VbdRequest | undefined {
    const request = this.#first;
    if (!request) return undefined;
    this.#first = request.next;
    if (!this.#first) this.#last = undefined;
    request.next = undefined;
    return request;
  }
}
