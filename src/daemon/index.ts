// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { Daemon, type DaemonParts } from './daemon.js';
export { DEFAULT_GRACE_SECONDS, type DaemonOptions, type DiskOption } from './daemon-options.js';
