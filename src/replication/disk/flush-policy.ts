// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import { gather } from './gather.js';
import type { Done } from './local-disk.js';
import type { ReplicationOptions } from './options.js';
import type { PrimaryRole } from './primary/primary-role.js';
import { Timer, type TimerHost } from './timer.js';

interface Waiting {
  readonly done: Done;
  /** Ticks of the timer that are left; the last one may be a part of one. */
  left: number;
}

/** How often limits are looked at, in seconds. */
const TICK_SECONDS = 0.5;

/** What a flush waits for: the local disk, and by the option the backup; see docs/replication-protocol.md. */
export class FlushPolicy {
  readonly #options: ReplicationOptions;
  readonly #timer: Timer;
  #primary: PrimaryRole | undefined;
  /** With `require`: they wait for a checkpoint that is possible. */
  #waiting: Waiting[] = [];

  constructor(host: TimerHost, options: ReplicationOptions) {
    this.#options = options;
    this.#timer = new Timer(host, () => this.#tick());
  }

  set primary(primary: PrimaryRole | undefined) {
    this.#primary = primary;
    if (primary === undefined) this.#failAll();
  }

  flush(done: Done): void {
    const primary = this.#primary;
    if (primary === undefined) {
      done(-errno.EROFS);
      return;
    }
    const { commitOnFlush } = this.#options;
    const isDue =
      commitOnFlush === 'require' || (commitOnFlush === 'prefer' && primary.phase === 'protected');
    if (!isDue) {
      primary.flush(done);
      return;
    }
    gather(done, (part) => {
      primary.flush(part());
      const ended = part();
      if (commitOnFlush === 'require') this.#require({ done: ended, left: this.#limit });
      // Once the backup is lost the local disk has to do, and the state says so.
      else primary.checkpoint(() => ended(0));
    });
  }

  /** There is a backup again: those that wait for one ask again. */
  again(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) this.#ask(one);
  }

  close(): void {
    this.#failAll();
    this.#timer.close();
  }

  get #limit(): number {
    return this.#options.flushLimitSeconds / TICK_SECONDS;
  }

  #require(one: Waiting): void {
    this.#ask(one);
    if (!this.#timer.isSet) this.#timer.set(TICK_SECONDS);
  }

  #asked = new Set<Waiting>();

  #ask(one: Waiting): void {
    this.#asked.add(one);
    const answered: Done = (result) => {
      if (!this.#asked.delete(one)) return;
      if (result >= 0) one.done(0);
      else this.#waiting.push(one);
    };
    if (this.#primary) this.#primary.checkpoint(answered);
    else answered(-errno.ENOTCONN);
  }

  #tick(): void {
    const all = [...this.#asked, ...this.#waiting];
    for (const one of all) {
      one.left -= 1;
      if (one.left > 0) continue;
      this.#asked.delete(one);
      this.#waiting = this.#waiting.filter((other) => other !== one);
      one.done(-errno.EIO);
    }
    if (this.#asked.size + this.#waiting.length > 0) this.#timer.set(TICK_SECONDS);
  }

  #failAll(): void {
    const all = [...this.#asked, ...this.#waiting];
    this.#asked = new Set();
    this.#waiting = [];
    for (const { done } of all) done(-errno.EIO);
  }
}
