// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CommandIo } from '../cli/command-io.js';

/** `tapdisk-ts daemon`: answers the exit status. Each command loads its own code only. */
export async function runDaemonCommand(argv: string[], io: CommandIo): Promise<number> {
  const command = await import('../daemon/run-daemon.js');
  return command.runDaemonCommand(argv, io);
}

/** `tapdisk-ts ctl`: answers the exit status. */
export async function runCtlCommand(argv: string[], io: CommandIo): Promise<number> {
  const command = await import('./ctl.js');
  return command.runCtlCommand(argv, io);
}
