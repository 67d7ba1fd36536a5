// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Scheduler } from '../scheduler/scheduler.js';
import { Tapdisk3Scheduler } from '../scheduler/tapdisk3-scheduler.js';
import { runAsyncIoScript } from './async-io-driver.js';
import { runRamdiskScript } from './ramdisk-driver.js';
import { runReferenceRamdisk } from './reference-ramdisk.js';
import { ReferenceScheduler } from './reference-scheduler.js';
import { ReferenceTapdisk3Scheduler } from './reference-tapdisk3-scheduler.js';
import { runReplicationScript } from './replication-driver.js';
import { runSchedulerScript } from './scheduler-driver.js';
import type { SchedulerFactory, Tapdisk3Factory } from './scheduler-under-test.js';
import { runTapdisk3Script } from './tapdisk3-driver.js';
import { isTapdisk3, type Trace, type Vector } from './vector.js';

/** An implementation does not have what the script is about: the vector is skipped. */
export class ScriptUnsupported extends Error {
  override readonly name = 'ScriptUnsupported';
}

/** There is no implementation to run: the run ends. */
export class ImplementationUnavailable extends Error {
  override readonly name = 'ImplementationUnavailable';
}

/** What makes traces of scripts. */
export interface Implementation {
  /** The trace of a script; rejects with an Error that says why there is none: ScriptUnsupported to have it skipped, ImplementationUnavailable to end the run. */
  run(vector: Vector): Promise<Trace>;
}

/** The scheduler that is shipped. A script's own limit ends its passes, so that the scheduler's never does. */
export const ownScheduler: SchedulerFactory = (poller, clock) =>
  new Scheduler({ poller, clock, maxCallbacksPerPass: Number.MAX_SAFE_INTEGER });

/** The reference model: the rules of tapdisk2 as literally as they can be written down, and slow. */
export const referenceScheduler: SchedulerFactory = (poller, clock) => new ReferenceScheduler(poller, clock);

/** The scheduler of tapdisk3's dialect that is shipped. */
export const ownTapdisk3Scheduler: Tapdisk3Factory = (poller, clock) =>
  new Tapdisk3Scheduler({ poller, clock });

/** The reference model of tapdisk3's dialect. */
export const referenceTapdisk3Scheduler: Tapdisk3Factory = (poller, clock) =>
  new ReferenceTapdisk3Scheduler(poller, clock);

/** Runs all suites in this process, over the given schedulers; those of modules on tapdisk2's. */
export function inProcess(
  create: SchedulerFactory,
  createTapdisk3 = ownTapdisk3Scheduler,
  runRamdisk = runRamdiskScript,
): Implementation {
  return {
    async run(vector) {
      switch (vector.suite) {
        case 'scheduler':
          if (isTapdisk3(vector)) return runTapdisk3Script(vector, createTapdisk3);
          return runSchedulerScript(vector, create);
        case 'replication':
          return runReplicationScript(vector, create);
        case 'async-io':
          return runAsyncIoScript(vector, create);
        case 'ramdisk':
        case 'ramdisk-guarded':
          return runRamdisk(vector);
      }
    },
  };
}

/** The naive schedulers with the modules on them, and the naive ramdisk. */
export const reference: Implementation = inProcess(
  referenceScheduler,
  referenceTapdisk3Scheduler,
  runReferenceRamdisk,
);
