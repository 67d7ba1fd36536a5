// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../../src/posix/files.js';
import { type HostFiles, SimulatedWorld } from '../../../../src/testing/index.js';

/** The files of a simulated host, and calls of a process on it. */
export class TestFiles {
  readonly world: SimulatedWorld;
  readonly host: HostFiles;

  constructor(seed = 1) {
    this.world = new SimulatedWorld({ seed });
    this.host = this.world.host('10.0.0.1').files;
    this.host.put('/srv/state/there', new Uint8Array());
  }

  get calls(): FileCalls {
    return this.host.calls();
  }

  /** What a process has open. */
  get open(): string[] {
    return this.host.descriptors().map(({ path }) => path);
  }

  /** Waits for something that needs file calls. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return this.world.complete(promise);
  }

  /** Waits for a call with a completion; what it completes with. */
  ended(start: (done: (result: number) => void) => void): Promise<number> {
    return this.wait(new Promise((resolve) => start(resolve)));
  }
}
