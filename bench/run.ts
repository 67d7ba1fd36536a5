// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { benchEcho } from './echo.js';
import { benchScheduler } from './scheduler.js';

await benchScheduler();
await benchEcho();
