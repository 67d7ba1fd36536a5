// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setAttribute, setText } from './elements.js';

/** How long the page reports that the connection is back, in milliseconds. */
const BACK_MS = 10_000;

/** Shows whether the page is up to date, and since when it is not. */
export class ConnectionView {
  readonly #root: HTMLElement;
  #lostAt: string | undefined;
  #pid = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  /** A snapshot has come from the daemon with this process id. */
  live(pid: number): void {
    const wasLost = this.#lostAt !== undefined;
    const before = this.#pid;
    this.#lostAt = undefined;
    this.#pid = pid;
    clearTimeout(this.#timer);
    if (!wasLost) {
      this.#say('live', '● Live');
      return;
    }
    const restarted =
      before === 0 || before === pid ? '' : `: the daemon was restarted (pid ${before} before, ${pid} now)`;
    this.#say('live', `● Live again${restarted}`);
    this.#timer = setTimeout(() => this.#say('live', '● Live'), BACK_MS);
  }

  lost(): void {
    clearTimeout(this.#timer);
    this.#lostAt ??= new Date().toLocaleTimeString('en-GB');
    const what =
      this.#pid === 0 ? 'The daemon does not respond' : `No news since ${this.#lostAt}: what is shown is old`;
    this.#say('lost', `▲ ${what}. Reconnecting.`);
  }

  #say(state: 'live' | 'lost', text: string): void {
    setAttribute(this.#root, 'data-state', state);
    setText(this.#root, text);
  }
}
