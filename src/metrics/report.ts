// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { StatisticsSnapshot, Vbd } from '../disks/index.js';
import { RemusDriver } from '../disks/drivers/index.js';
import type { ReplicationStatus } from '../replication/disk/status.js';
import type { LagMeasures } from './loop-lag.js';
import type { SchedulerMeasures } from './scheduler-meter.js';

/** Changes when a reader of the old form would not understand the new one. */
export const REPORT_VERSION = 1;

/** A VBD in a report. Counts begin with its attaching. */
export interface VbdReport extends StatisticsSnapshot {
  readonly minor: number;
  /** What it was opened with; empty while closed. */
  readonly name: string;
  readonly phase: string;
  /** The bits that LIST shows. */
  readonly state: number;
  readonly sectors: number;
  /** Of a replicated disk. */
  readonly replication?: ReplicationStatus;
}

/** A daemon's report about itself: the output of `ctl stats --json`, and the source of its metrics. */
export interface Report {
  readonly version: typeof REPORT_VERSION;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** Absent while it cannot be read, for lack of descriptors for example. */
  readonly residentBytes?: number;
  /** Open descriptors of the project's own table. */
  readonly descriptors: number;
  readonly connections: {
    readonly control: number;
    /** Control connections since the start. */
    readonly controlAccepted: number;
    readonly nbd: number;
  };
  readonly scheduler: SchedulerMeasures;
  readonly loopLag: LagMeasures;
  readonly vbds: readonly VbdReport[];
}

export function vbdReport(vbd: Vbd): VbdReport {
  const { minor, name, phase, state, info } = vbd;
  const driver = RemusDriver.among(vbd.drivers);
  const replication = driver?.replication?.status();
  return {
    minor,
    name,
    phase,
    state,
    sectors: info.sectors,
    ...vbd.statistics(),
    ...(replication && { replication }),
  };
}
