// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../../src/posix/files.js';
import { type HostFiles, SimulatedWorld } from '../../../../src/testing/index.js';

/** The files of a simulated host, and calls of a process on it. */
export class TestFiles {
  readonly world: SimulatedWorld;
  readonly host: HostFiles;
  /** How many calls have not ended, and how many had not at a time since that was last reset. */
  callsUnderWay = 0;
  mostUnderWay = 0;

  constructor(seed = 1) {
    this.world = new SimulatedWorld({ seed });
    this.host = this.world.host('10.0.0.1').files;
    this.host.put('/srv/state/there', new Uint8Array());
  }

  get calls(): FileCalls {
    return new Proxy(this.host.calls(), {
      get: (calls, name: keyof FileCalls) => {
        const call = calls[name].bind(calls) as (...args: unknown[]) => void;
        return (...args: unknown[]) => {
          this.callsUnderWay += 1;
          this.mostUnderWay = Math.max(this.mostUnderWay, this.callsUnderWay);
          call(...args.map((arg) => (typeof arg === 'function' ? this.#counted(arg) : arg)));
        };
      },
    });
  }

  // oxlint-disable-next-line typescript/no-unsafe-function-type
  #counted(done: Function): (...results: unknown[]) => void {
    return (...results) => {
      this.callsUnderWay -= 1;
      done(...results);
    };
  }

  /** Waits for something that makes its calls one after the other; what is wrong with that, if anything. */
  async inTurn(action: () => Promise<unknown>): Promise<string | undefined> {
    this.mostUnderWay = this.callsUnderWay;
    if (this.callsUnderWay > 0) return `${this.callsUnderWay} calls are left from before`;
    await action();
    if (this.callsUnderWay > 0) return `${this.callsUnderWay} calls are under way at its end`;
    return this.mostUnderWay > 1 ? `${this.mostUnderWay} calls are under way at a time` : undefined;
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
