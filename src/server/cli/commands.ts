// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import type { RunCommand } from './command-io.js';

/** A command, loaded when it is run: nobody waits for what was not asked for. */
export interface Command {
  readonly name: string;
  /** For the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<RunCommand>;
}

interface MaybeCommand extends Command {
  /** What it needs of the folders that the published package does not have all. */
  readonly needs?: readonly string[];
}

const CONFORMANCE = '../../conformance/cli';
const SIMULATION = '../../testing/cli';

const all: readonly MaybeCommand[] = [
  {
    name: 'primary',
    summary: 'send an image to a backup, as soon as it is there',
    load: async () => (await import('./primary-command.js')).runPrimaryCommand,
  },
  {
    name: 'backup',
    summary: 'take images from a primary, one after another',
    load: async () => (await import('./backup-command.js')).runBackupCommand,
  },
  {
    name: 'status',
    summary: 'ask running primaries and backups what they do',
    load: async () => (await import('./status-command.js')).runStatusCommand,
  },
  {
    name: 'daemon',
    summary: 'serve disks to NBD clients, driven through a control socket',
    load: async () => (await import('../control/cli.js')).runDaemonCommand,
  },
  {
    name: 'ctl',
    summary: 'drive a running daemon',
    load: async () => (await import('../control/cli.js')).runCtlCommand,
  },
  {
    name: 'conformance',
    summary: 'check a scheduler against the conformance vectors',
    needs: [CONFORMANCE],
    load: async () => (await import('../../conformance/cli.js')).runConformanceCommand,
  },
  {
    name: 'record',
    summary: 'write the traces of scripts as conformance vectors',
    needs: [CONFORMANCE],
    load: async () => (await import('../../conformance/cli.js')).runRecordCommand,
  },
  {
    name: 'simulate',
    summary: 'run primaries and backups in a simulated world full of faults',
    needs: [CONFORMANCE, SIMULATION],
    load: async () => (await import('../../testing/cli.js')).runSimulateCommand,
  },
];

/** The commands that there are: the published package has not all of those that the source tree has. */
export const commands: readonly Command[] = all.filter(({ needs = [] }) => needs.every(isThere));

function isThere(module: string): boolean {
  return existsSync(new URL(`${module}${extname(import.meta.url)}`, import.meta.url));
}
