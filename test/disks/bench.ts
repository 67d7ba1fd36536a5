// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import type { Test } from 'tap';
import { type Clock, NodePosix, type SystemError } from '../../src/posix/index.js';
import { driverTypes } from '../../src/disks/drivers/index.js';
import type { Logger } from '../../src/server/logger.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { type DriverType, type OpenFlags, type Vbd, VbdRegistry } from '../../src/disks/index.js';
import { ScriptedDisks, type ScriptedOptions } from './scripted-disks.js';

/** A clock that only the test moves. */
export class ManualClock implements Clock {
  seconds = 1_000_000_000;

  now(): number {
    return this.seconds;
  }
}

/** A registry of VBDs over disks that the test answers for, on a scheduler that goes step by step. */
export interface Bench {
  readonly clock: ManualClock;
  readonly posix: NodePosix;
  readonly server: TapdiskServer;
  readonly registry: VbdRegistry;
  readonly disks: ScriptedDisks;
  readonly lines: string[];
  /** One pass of the scheduler that does not sleep. */
  readonly step: () => Promise<void>;
  /** Moves the clock, and lets the scheduler see it. */
  readonly pass: (seconds: number) => Promise<void>;
  /** An attached VBD whose opening is answered with 0. */
  readonly opened: (flags?: Partial<OpenFlags>) => Vbd;
}

export const READ_WRITE: OpenFlags = { readOnly: false, shared: false };

export function bench(
  t: Test,
  {
    types = [],
    maxInFlight,
    ...scripted
  }: ScriptedOptions & { types?: readonly DriverType[]; maxInFlight?: number } = {},
): Bench {
  const clock = new ManualClock();
  const posix = new NodePosix({ clock });
  const lines: string[] = [];
  const logger: Logger = { log: (_priority, line) => void lines.push(line) };
  const server = new TapdiskServer({ posix, logger });
  const disks = new ScriptedDisks(scripted);
  const registry = new VbdRegistry({
    registrar: server,
    posix,
    logger,
    types: driverTypes([disks.type, ...types]),
    ...(maxInFlight !== undefined && { maxInFlight }),
  });
  const step = async (): Promise<void> => {
    server.setMaxTimeout(0);
    await server.iterate();
  };
  const opened = (flags: Partial<OpenFlags> = {}): Vbd => {
    const minor = registry.vbds().length;
    registry.attach(minor);
    const vbd = registry.get(minor);
    assert(vbd);
    void vbd.open('scripted:disk', { ...READ_WRITE, ...flags });
    disks.calls.shift()?.answer(0);
    assert.equal(vbd.phase, 'running');
    disks.log.length = 0;
    return vbd;
  };
  t.teardown(async () => {
    registry[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
    // After the test's end there is no assertion any more: an error here fails it all the same.
    assert.deepEqual(posix.openDescriptors(), [], 'no descriptor is left');
  });
  return {
    clock,
    posix,
    server,
    registry,
    disks,
    lines,
    step,
    async pass(seconds) {
      clock.seconds += seconds;
      await step();
    },
    opened,
  };
}

/** A call's results, in the order in which they were told. */
export class Results {
  readonly told: number[] = [];
  readonly done = (result: number): void => void this.told.push(result);

  /** Takes the outcome of a promise down as a result: 0 or the negative errno. */
  follow(ended: Promise<void>): void {
    ended.then(
      () => this.told.push(0),
      (error: unknown) => this.told.push((error as SystemError).errno as number),
    );
  }

  /** What was told, once every promise that has an outcome by now has been heard. */
  async settled(): Promise<readonly number[]> {
    await new Promise(setImmediate);
    return this.told;
  }
}
