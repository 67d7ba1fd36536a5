// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { RunCommand } from './command-io.js';

/** A command, loaded when it is run: nobody waits for what was not asked for. */
export interface Command {
  readonly name: string;
  /** For the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<RunCommand>;
}

/** The commands, in the order in which help lists them. */
export const commands: readonly Command[] = [
  {
    name: 'primary',
    summary: 'send an image to a backup, as soon as it is there',
    load: async () => (await import('./transfer/primary-command.js')).runPrimaryCommand,
  },
  {
    name: 'backup',
    summary: 'take images from a primary, one after another',
    load: async () => (await import('./transfer/backup-command.js')).runBackupCommand,
  },
  {
    name: 'status',
    summary: 'ask running primaries and backups what they do',
    load: async () => (await import('./status/status-command.js')).runStatusCommand,
  },
  {
    name: 'daemon',
    summary: 'serve disks to NBD clients, driven through a control socket',
    load: async () => (await import('./daemon/daemon-command.js')).runDaemonCommand,
  },
  {
    name: 'ctl',
    summary: 'drive a running daemon',
    load: async () => (await import('./ctl/ctl-command.js')).runCtlCommand,
  },
  {
    name: 'conformance',
    summary: 'check a scheduler against the conformance vectors',
    load: async () => (await import('./conformance/conformance-command.js')).runConformanceCommand,
  },
  {
    name: 'record',
    summary: 'write the traces of scripts as conformance vectors',
    load: async () => (await import('./conformance/record-command.js')).runRecordCommand,
  },
  {
    name: 'simulate',
    summary: 'run primaries and backups in a simulated world full of faults',
    load: async () => (await import('./simulate/simulate-command.js')).runSimulateCommand,
  },
];
