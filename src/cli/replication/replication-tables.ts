// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type CommandTable, defineTable, type Parameters, printing } from '../command-line/command-table.js';
import { flag, optional, required } from '../command-line/parameter.js';
import { file, oneOf, wholeNumber } from '../command-line/value-type.js';
import { sentence } from '../command-line/wrapped-text.js';
import { controlDirectoryOption, minorNumber, processId } from '../control-values.js';

/** The words for a replicated disk that a check can ask for. */
const REQUIRED_STATES = ['protected', 'catching-up', 'backup'] as const;

const disks = {
  pid: optional(processId, { short: 'p', help: 'Ask only this daemon.' }),
  minor: optional(minorNumber, { short: 'm', help: 'Only the disk with this minor number.' }),
  json: flag({ help: 'Print JSON.' }),
} as const;
const dryRun = flag({ help: 'Only report what would be lost: sectors, and since when.' });

export const statusTable = table('status', 'show the state of replicated disks', {
  ...disks,
  require: optional(oneOf('STATE', REQUIRED_STATES), {
    help: 'Exit with status 1 unless there is at least one disk and all disks are in this state.',
  }),
});
export const watchTable = printing(
  table('watch', 'show the state every second', {
    ...disks,
    seconds: optional(wholeNumber('N', 1, 86_400), { help: 'Stop after this many seconds.' }),
  }),
);
export const eventsTable = printing(
  table('events', 'print recent events as JSON lines', {
    pid: disks.pid,
    minor: disks.minor,
    follow: flag({ short: 'f', help: 'Keep printing events as they happen.' }),
  }),
);
export const flushTable = table('flush', 'commit a checkpoint now', disks);
export const promoteTable = table('promote', 'make a backup the primary', {
  ...disks,
  dryRun,
});
export const rejoinTable = table('rejoin', 'make a stale primary the backup', {
  ...disks,
  dryRun,
});
export const discardTable = table('discard', 'end a split brain, saving local changes to a file', {
  ...disks,
  dryRun,
  keep: required(file(), { help: "A new file for the changes, on the daemon's host." }),
});
export const resyncTable = table('resync', 'send the backup everything that may differ', {
  ...disks,
  full: flag({ help: 'Compare the whole disk.' }),
});
export const verifyTable = table('verify', 'compare the whole disk with the backup', disks);
export const pauseTable = table('pause', 'disconnect from the other side', disks);
export const resumeTable = table('resume', 'connect to the other side again', disks);
export const drillTable = table('drill', 'export a checkpoint for a restore test', {
  ...disks,
  end: flag({ help: 'End the drill.' }),
});

function table<const Options extends Parameters>(
  name: string,
  summary: string,
  options: Options,
): CommandTable<Options & { readonly controlDirectory: typeof controlDirectoryOption }, {}> {
  return defineTable({
    name,
    summary,
    description: [sentence(`${summary} (docs/replication.md)`)],
    arguments: {},
    options: { ...options, controlDirectory: controlDirectoryOption },
    exitStatus: {
      0: 'Success.',
      1: 'A daemon refused or could not be reached, or a disk is not in the required state.',
    },
  });
}
