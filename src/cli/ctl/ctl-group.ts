// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { command, type CommandGroup } from '../command-line/command.js';
import * as tables from './ctl-tables.js';

/** `tapdisk-ts ctl`. What runs a command is loaded when it is run. */
export const ctlGroup: CommandGroup = {
  name: 'ctl',
  summary: 'control running daemons',
  description: [
    'Sends requests to the daemons in a control directory, as tap-ctl does. The daemons may be tapdisk-ts daemons or the C tapdisk2. Without --pid, list, pid and stats query all daemons.',
  ],
  commands: [
    command(tables.listTable, async () => (await import('./list-command.js')).runList),
    command(tables.pidTable, async () => (await import('./daemon-commands.js')).runPid),
    command(tables.attachTable, async () => (await import('./disk-commands.js')).runAttach),
    command(tables.openTable, async () => (await import('./disk-commands.js')).runOpen),
    command(tables.closeTable, async () => (await import('./disk-commands.js')).runClose),
    command(tables.detachTable, async () => (await import('./disk-commands.js')).runDetach),
    command(tables.pauseTable, async () => (await import('./disk-commands.js')).runPause),
    command(tables.unpauseTable, async () => (await import('./disk-commands.js')).runUnpause),
    command(tables.snapshotTable, async () => (await import('./snapshot-command.js')).runSnapshot),
    command(tables.resizeTable, async () => (await import('./disk-commands.js')).runResize),
    command(tables.statsTable, async () => (await import('./daemon-commands.js')).runStats),
  ],
};
