// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { backupTable } from './transfer/backup-table.js';
import { command, type CommandGroup } from './command-line/command.js';
import { completionTable } from './completion/completion-table.js';
import { conformanceTable } from './conformance/conformance-table.js';
import { recordTable } from './conformance/record-table.js';
import { ctlGroup } from './ctl/ctl-group.js';
import { daemonTable } from './daemon/daemon-table.js';
import { replicationGroup } from './replication/replication-group.js';
import { simulateTable } from './simulate/simulate-table.js';
import { statusTable } from './status/status-table.js';
import { primaryTable } from './transfer/primary-table.js';
import { vhdGroup } from './vhd/vhd-group.js';

/** All commands, in the order in which help lists them. What runs one is loaded when it is run. */
export const program: CommandGroup = {
  name: 'tapdisk-ts',
  summary: 'replicate disk images, serve disks, and check schedulers',
  description: [
    "Replicates disk images and serves disks, on tapdisk2's poll scheduler and its asynchronous connect module.",
  ],
  commands: [
    command(primaryTable, async () => (await import('./transfer/primary-command.js')).runPrimary),
    command(backupTable, async () => (await import('./transfer/backup-command.js')).runBackup),
    command(statusTable, async () => (await import('./status/status-command.js')).runStatus),
    command(daemonTable, async () => (await import('./daemon/daemon-command.js')).runDaemon),
    ctlGroup,
    replicationGroup,
    vhdGroup,
    command(
      conformanceTable,
      async () => (await import('./conformance/conformance-command.js')).runConformance,
    ),
    command(recordTable, async () => (await import('./conformance/record-command.js')).runRecord),
    command(simulateTable, async () => (await import('./simulate/simulate-command.js')).runSimulate),
    command(completionTable, async () => {
      const { runCompletion } = await import('./completion/completion-command.js');
      return (values, io) => runCompletion(program, values, io);
    }),
  ],
  notes: [
    'tapdisk-ts --version prints the version.',
    'Exit status: 0 success, 1 failure, 2 usage error; see the help of each command for details.',
  ],
};
