// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseJson } from '../../posix/json-text.js';
import { ControlError } from '../../control/control-client.js';
import { reportText } from '../../metrics/report-text.js';
import { type Report, REPORT_VERSION } from '../../metrics/report.js';
import { errno } from '../../posix/errno.js';
import type { Values } from '../command-line/command-table.js';
import { ctlRun, eachDaemon } from './ctl-context.js';
import type { pidTable, statsTable } from './ctl-tables.js';

export const runPid = ctlRun<Values<typeof pidTable>>('pid', async (values, context) => {
  const pids: number[] = [];
  await eachDaemon(values.pid, context, async (pid) => {
    pids.push(await context.client.pid(pid));
  });
  if (values.json) context.print(JSON.stringify(pids));
  else for (const pid of pids) context.print(String(pid));
});

export const runStats = ctlRun<Values<typeof statsTable>>('stats', async (values, context) => {
  const reports: unknown[] = [];
  await eachDaemon(values.pid, context, async (pid) => {
    reports.push(parsed(await context.client.statistics(pid)));
  });
  if (values.json) return context.print(JSON.stringify(reports));
  for (const report of reports) context.print(...linesOf(report));
});

/** What says of itself that it is of our version may be something else after all. */
function linesOf(report: unknown): string[] {
  if (!isKnown(report)) return [JSON.stringify(report)];
  try {
    return reportText(report).trimEnd().split('\n');
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ControlError(errno.EPROTO, `its report is not of version ${REPORT_VERSION}`);
  }
}

function parsed(report: string): unknown {
  try {
    return parseJson(report);
  } catch {
    throw new ControlError(errno.EPROTO, 'its report is not JSON');
  }
}

/** A daemon of another version may report other things; they are printed as they are. */
function isKnown(report: unknown): report is Report {
  return (
    typeof report === 'object' && report !== null && 'version' in report && report.version === REPORT_VERSION
  );
}
