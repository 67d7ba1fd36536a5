// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { EXIT_USAGE } from '../exit-status.js';
import type { CommandTable } from './command-table.js';
import type { Row } from './parameter-help.js';

/** What a command's exit statuses mean, with the one that all have in common. */
export function exitStatusRows({ exitStatus, signalStatus }: CommandTable): Row[] {
  const all: Readonly<Record<number, string>> = { ...exitStatus, [EXIT_USAGE]: 'Usage error.' };
  const rows = Object.entries(all);
  return signalStatus === undefined ? rows : [...rows, ['128+N', signalStatus]];
}
