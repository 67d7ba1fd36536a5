// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { Daemon, type DaemonParts } from './daemon.js';
export { type DaemonOptions, type DiskOption, parseDaemonOptions } from './daemon-options.js';
export { runDaemonCommand } from './run-daemon.js';
