// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Values } from '../command-line/command-table.js';
import { CheckFailed, type CtlContext, ctlRun, eachDaemon } from '../ctl/ctl-context.js';
import { eventsIn, statusesIn } from './answers.js';
import type { eventsTable, statusTable, watchTable } from './replication-tables.js';
import { type PlacedStatus, statusLine, statusLines } from './status-text.js';

const INTERVAL_SECONDS = 1;

interface WhichDisks {
  readonly pid: number | undefined;
  readonly minor: number | undefined;
}

export const runStatus = ctlRun<Values<typeof statusTable>>(
  'status',
  async (values, context) => {
    const { statuses, haveAll } = await statusesOf(values, context);
    if (values.json) context.print(JSON.stringify(statuses));
    else if (statuses.length === 0 && haveAll) context.print('no replicated disks');
    else for (const status of statuses) context.print(...statusLines(status, context.columns));
    const { require } = values;
    if (require === undefined) return;
    if (statuses.length === 0 && haveAll)
      throw new CheckFailed(`there is no replicated disk, expected ${require}`);
    const others = statuses.filter(({ state }) => state !== require);
    for (const { minor, state, reason } of others) {
      throw new CheckFailed(`disk ${minor} is ${state}, expected ${require}: ${reason}`);
    }
  },
  'replication',
);

export const runWatch = ctlRun<Values<typeof watchTable>>(
  'watch',
  async (values, context) => {
    const { posix } = context;
    const until = values.seconds === undefined ? Infinity : posix.clock.now() + values.seconds;
    for (;;) {
      const { statuses } = await statusesOf(values, context);
      if (values.json) context.print(JSON.stringify(statuses));
      else for (const status of statuses) context.print(statusLine(status, context.columns));
      if (posix.clock.now() + INTERVAL_SECONDS > until) return;
      await posix.select({}, INTERVAL_SECONDS);
    }
  },
  'replication',
);

export const runEvents = ctlRun<Values<typeof eventsTable>>(
  'events',
  async (values, context) => {
    const { posix } = context;
    const printed = new Map<number, number>();
    for (;;) {
      await eachDaemon(values.pid, context, async (pid) => {
        const after = printed.get(pid) ?? 0;
        const text = await context.client.replication(pid, values.minor, { command: 'events', after });
        for (const { number, ...event } of eventsIn(text)) {
          printed.set(pid, number);
          context.print(JSON.stringify({ pid, ...event }));
        }
      });
      if (!values.follow) return;
      await posix.select({}, INTERVAL_SECONDS);
    }
  },
  'replication',
);

/**
 * The replicated disks of the daemons, and whether these are all, as far as anybody knows: see {@link eachDaemon}.
 *
 * @throws (rejects with) CheckFailed when a minor is given that has none
 */
export async function statusesOf(
  { pid, minor }: WhichDisks,
  context: CtlContext,
): Promise<{ statuses: PlacedStatus[]; haveAll: boolean }> {
  const found: PlacedStatus[] = [];
  const haveAll = await eachDaemon(pid, context, async (each) => {
    const text = await context.client.replication(each, undefined, { command: 'status' });
    for (const status of statusesIn(text)) found.push({ ...status, pid: each });
  });
  const statuses = found.filter((status) => minor === undefined || status.minor === minor);
  if (minor !== undefined && statuses.length === 0 && haveAll)
    throw new CheckFailed(`disk ${minor} is not replicated`);
  return { statuses, haveAll };
}
