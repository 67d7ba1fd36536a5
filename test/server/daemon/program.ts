// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The daemon as a process of its own, for tests that send it signals.
import { runDaemonCommand } from '../../../src/server/control/cli.js';

process.exitCode = await runDaemonCommand(process.argv.slice(2), process);
