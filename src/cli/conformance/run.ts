// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run conformance -- FILE...`: this project's own scheduler and modules over vector files.

import { runConformanceCommand } from './conformance-command.js';

process.exitCode = await runConformanceCommand(process.argv.slice(2), process);
