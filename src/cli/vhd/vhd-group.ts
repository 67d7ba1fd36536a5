// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { command, type CommandGroup } from '../command-line/command.js';
import * as tables from './vhd-tables.js';

/** `tapdisk-ts vhd`. What runs a command is loaded when it is run. */
export const vhdGroup: CommandGroup = {
  name: 'vhd',
  summary: 'create, inspect, check and modify VHD images',
  description: ['Manages VHD images in files and on block devices, with their chains of parents.'],
  commands: [
    command(tables.createTable, async () => (await import('./image-commands.js')).runCreate),
    command(tables.infoTable, async () => (await import('./info-command.js')).runInfo),
    command(tables.checkTable, async () => (await import('./check-command.js')).runCheck),
    command(tables.snapshotTable, async () => (await import('./chain-commands.js')).runSnapshot),
    command(tables.coalesceTable, async () => (await import('./chain-commands.js')).runCoalesce),
    command(tables.resizeTable, async () => (await import('./image-commands.js')).runResize),
    command(tables.repairTable, async () => (await import('./image-commands.js')).runRepair),
    command(tables.convertTable, async () => (await import('./convert-command.js')).runConvert),
  ],
};
