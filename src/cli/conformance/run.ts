// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run conformance -- FILE...`: this project's own scheduler and modules over vector files.

import { dispatch } from '../dispatch.js';

process.exitCode = await dispatch(['conformance', ...process.argv.slice(2)], process);
