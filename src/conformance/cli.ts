// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export type { CommandIo } from './command-line.js';
export { CONFORMANCE_HELP, runConformanceCommand } from './conformance-command.js';
export { RECORD_HELP, runRecordCommand } from './record-command.js';
