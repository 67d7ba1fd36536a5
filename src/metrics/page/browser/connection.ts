// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { StreamMessage } from '../wire.js';

/** The daemon sends something every second; after this many seconds of silence the page reconnects. */
const SILENT_SECONDS = 5;
/** How long the page waits before it connects again, once the browser has given up. */
const RETRY_SECONDS = 2;

export interface ConnectionListener {
  /** All that there is: at the beginning, and after each interruption. */
  snapshot(message: StreamMessage): void;
  change(message: StreamMessage): void;
  /** Nothing comes any more. */
  lost(): void;
}

/**
 * The stream of events from the daemon.
 *
 *     connecting --snapshot--> live --error, or silence--> lost --snapshot--> live
 *         |                     |
 *         +----- page hidden ---+--> closed --page visible--> connecting
 *
 * A hidden page costs the daemon nothing.
 */
export class Connection {
  readonly #listener: ConnectionListener;
  #source: EventSource | undefined;
  #lastHeard = performance.now();

  constructor(listener: ConnectionListener) {
    this.#listener = listener;
  }

  /** Begins, for as long as the page is there. */
  start(): void {
    document.addEventListener('visibilitychange', () => this.#followVisibility());
    setInterval(() => this.#look(), 1000);
    this.#followVisibility();
  }

  #followVisibility(): void {
    if (document.hidden) this.#close();
    else if (!this.#source) this.#connect();
  }

  #connect(): void {
    const source = new EventSource('events');
    this.#source = source;
    this.#lastHeard = performance.now();
    const heard = (event: MessageEvent<string>): StreamMessage => {
      this.#lastHeard = performance.now();
      return JSON.parse(event.data) as StreamMessage;
    };
    source.addEventListener('snapshot', (event) => this.#listener.snapshot(heard(event)));
    source.addEventListener('change', (event) => this.#listener.change(heard(event)));
    source.addEventListener('error', () => this.#listener.lost());
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  /** A connection can end silently, and a browser abandons some for good. */
  #look(): void {
    const source = this.#source;
    if (!source) return;
    const seconds = (performance.now() - this.#lastHeard) / 1000;
    const isOver = source.readyState === EventSource.CLOSED && seconds >= RETRY_SECONDS;
    if (!isOver && seconds < SILENT_SECONDS) return;
    this.#close();
    this.#listener.lost();
    this.#connect();
  }
}
