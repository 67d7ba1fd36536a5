// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DiskDriverType, Done, Driver, OpenFlags, RangeRequest } from '../../src/disks/index.js';

/** Disks of one MiB under names such as `held:a`, whose requests and opening end when the test says so. */
export class HeldDisks {
  readonly type: DiskDriverType = { name: 'held', create: () => this.#create() };
  readonly #requests: RangeRequest[] = [];
  /** How the disks were opened, in order. */
  readonly openFlags: OpenFlags[] = [];
  #openings: Done[] | undefined;
  #arrived: (() => void) | undefined;
  #closeResult = 0;

  /** From now on an open waits for {@link finishOpening}. */
  holdOpening(): void {
    this.#openings = [];
  }

  finishOpening(result: number): void {
    const openings = this.#openings ?? [];
    this.#openings = undefined;
    for (const done of openings) done(result);
  }

  /** Fulfilled when a request or an open is held. */
  async somethingHeld(): Promise<void> {
    if (this.#requests.length > 0 || (this.#openings?.length ?? 0) > 0) return;
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
    });
  }

  /** What a close answers from now on. */
  failClosing(result: number): void {
    this.#closeResult = result;
  }

  finishRequests(result = 0): void {
    for (const request of this.#requests.splice(0)) request.complete(result);
  }

  #hold(request: RangeRequest): void {
    this.#requests.push(request);
    this.#arrived?.();
  }

  #create(): Driver {
    return {
      open: (flags, done) => {
        this.openFlags.push(flags);
        if (!this.#openings) return done(0);
        this.#openings.push(done);
        this.#arrived?.();
        return undefined;
      },
      info: () => ({ sectors: 2048, sectorSize: 512, info: 0 }),
      close: (done) => done(this.#closeResult),
      queueRead: (request) => this.#hold(request),
      queueWrite: (request) => this.#hold(request),
      flush: (done) => done(0),
    };
  }
}
