// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { command, type CommandGroup } from '../command-line/command.js';
import * as tables from './replication-tables.js';

/** `tapdisk-ts replication`. What runs a command is loaded when it is run. */
export const replicationGroup: CommandGroup = {
  name: 'replication',
  summary: 'watch and control replicated disks',
  description: [
    'Shows and controls the replicated disks (remus:HOST:PORT|…) of the daemons in a control directory. A command for one disk requires --minor if there are several.',
  ],
  commands: [
    command(tables.statusTable, async () => (await import('./status-commands.js')).runStatus),
    command(tables.watchTable, async () => (await import('./status-commands.js')).runWatch),
    command(tables.eventsTable, async () => (await import('./status-commands.js')).runEvents),
    command(tables.flushTable, async () => (await import('./disk-commands.js')).runFlush),
    command(tables.promoteTable, async () => (await import('./disk-commands.js')).runPromote),
    command(tables.rejoinTable, async () => (await import('./disk-commands.js')).runRejoin),
    command(tables.discardTable, async () => (await import('./disk-commands.js')).runDiscard),
    command(tables.resyncTable, async () => (await import('./disk-commands.js')).runResync),
    command(tables.verifyTable, async () => (await import('./disk-commands.js')).runVerify),
    command(tables.pauseTable, async () => (await import('./disk-commands.js')).runPause),
    command(tables.resumeTable, async () => (await import('./disk-commands.js')).runResume),
    command(tables.drillTable, async () => (await import('./disk-commands.js')).runDrill),
  ],
};
