// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../src/posix/files.js';
import type { Done } from '../../../src/replication/disk/local-disk.js';
import { Completions } from '../../../src/server/completions.js';
import { type SimulatedHost, SimulatedWorld } from '../../../src/testing/index.js';
import { HeldCalls } from './held-calls.js';

/** A simulated host, and its file calls as a process makes them. */
export interface StateFiles {
  readonly world: SimulatedWorld;
  readonly host: SimulatedHost;
  readonly held: HeldCalls;
  readonly files: FileCalls;
  /** What was reported as repaired. */
  readonly notices: string[];
  readonly notice: (message: string) => void;
  /** Waits for a call; what it completes with. */
  readonly call: (start: (done: Done) => void) => Promise<number>;
}

/** A host with the directory /srv. */
export function stateFiles(): StateFiles {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  host.files.put('/srv/other', new Uint8Array(1));
  const held = new HeldCalls();
  const files = held.over(host.files.calls(new Completions(host.serve(), host.posix, host.logger)));
  const notices: string[] = [];
  return {
    world,
    host,
    held,
    files,
    notices,
    notice: (message) => notices.push(message),
    call: (start) => world.complete(new Promise<number>((resolve) => start(resolve))),
  };
}
