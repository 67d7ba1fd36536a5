// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import { reportText } from '../../metrics/report-text.js';
import { type Report, REPORT_VERSION } from '../../metrics/report.js';
import { type ControlClient, ControlError } from '../../control/control-client.js';
import { listedPids } from '../../control/control-directory.js';
import type { CtlCommand, CtlOptions } from './ctl-options.js';
import { type ListEntry, listLine, listObject, listRow, typeAndPath } from './list-text.js';
import { FLAG_READ_ONLY, FLAG_SHARED } from '../../control/message-type.js';

/** What a command works with. */
export interface CtlContext {
  readonly client: ControlClient;
  readonly options: CtlOptions;
  /** Prints a line for whoever reads the output. */
  readonly print: (line: string) => void;
  /** Whether the output is a terminal. */
  readonly isTerminal: boolean;
  /** Told of a daemon that failed while others go on. */
  readonly warn: (pid: number, error: ControlError) => void;
}

/** Does what a command line asks. Rejects with a {@link ControlError}. */
export const ctlCommands: Readonly<Record<CtlCommand, (context: CtlContext) => Promise<void>>> = {
  async list(context) {
    const { client, options, print, isTerminal } = context;
    const entries: ListEntry[] = [];
    await eachDaemon(context, async (pid) => {
      const vbds = await client.list(pid);
      entries.push(...(vbds.length > 0 ? vbds.map((vbd) => ({ pid, vbd })) : [{ pid }]));
    });
    const chosen = entries.filter((entry) => isAskedFor(entry, options));
    if (options.json) print(JSON.stringify(chosen.map(listObject)));
    else for (const entry of chosen) print(isTerminal ? listRow(entry) : listLine(entry));
  },

  async pid(context) {
    const pids: number[] = [];
    await eachDaemon(context, async (pid) => {
      pids.push(await context.client.pid(pid));
    });
    if (context.options.json) context.print(JSON.stringify(pids));
    else for (const pid of pids) context.print(String(pid));
  },

  attach: ({ client, options }) => client.attach(...target(options)),

  async open({ client, options, print }) {
    const flags = (options.shared ? FLAG_SHARED : 0) | (options.readOnly ? FLAG_READ_ONLY : 0);
    const image = await client.open(...target(options), options.args ?? '', flags);
    if (options.json) print(JSON.stringify(image));
  },

  close: ({ client, options }) =>
    options.force ? client.forceShutdown(...target(options)) : client.close(...target(options)),

  detach: ({ client, options }) => client.detach(...target(options)),
  pause: ({ client, options }) => client.pause(...target(options)),
  unpause: ({ client, options }) => client.resume(...target(options), options.args),

  async stats(context) {
    const reports: unknown[] = [];
    await eachDaemon(context, async (pid) => {
      reports.push(parsed(await context.client.statistics(pid)));
    });
    if (context.options.json) context.print(JSON.stringify(reports));
    else
      for (const report of reports)
        context.print(isKnown(report) ? reportText(report).trimEnd() : JSON.stringify(report));
  },
};

/** Asks the daemon that is named, or all of them one after the other, so that one which fails does not hide the rest. */
async function eachDaemon({ options, warn }: CtlContext, ask: (pid: number) => Promise<void>): Promise<void> {
  if (options.pid !== undefined) return ask(options.pid);
  for (const pid of listedPids(options.directory)) {
    try {
      await ask(pid);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      // A socket without a daemon is left over from one that was killed, or gone since the directory was read.
      if (error.number !== errno.ECONNREFUSED && error.number !== errno.ENOENT) warn(pid, error);
    }
  }
}

function isAskedFor(entry: ListEntry, { minor, type, file }: CtlOptions): boolean {
  const args = typeAndPath(entry.vbd);
  if (minor !== undefined && entry.vbd?.minor !== minor) return false;
  if (type !== undefined && args?.type !== type) return false;
  return file === undefined || args?.path === file;
}

/** The parsing of the options has made sure that both are there. */
function target({ pid = 0, minor = 0 }: CtlOptions): [pid: number, minor: number] {
  return [pid, minor];
}

function parsed(report: string): unknown {
  try {
    return JSON.parse(report);
  } catch {
    throw new ControlError(errno.EPROTO, 'its report is no JSON');
  }
}

/** A daemon of another version may tell other things; then they are printed as they are. */
function isKnown(report: unknown): report is Report {
  return (
    typeof report === 'object' && report !== null && 'version' in report && report.version === REPORT_VERSION
  );
}
