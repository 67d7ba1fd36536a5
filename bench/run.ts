// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { scriptOptions } from '../scripts/script-options.js';
import { benchEcho } from './echo.js';
import { benchScheduler } from './scheduler.js';
import { benchTapdisk3Scheduler } from './tapdisk3-scheduler.js';

scriptOptions('npm run bench\n\nTakes no options.', {});
await benchScheduler();
await benchTapdisk3Scheduler();
await benchEcho();
