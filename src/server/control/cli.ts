// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { runDaemonCommand } from '../daemon/run-daemon.js';
export { runCtlCommand } from './ctl.js';
