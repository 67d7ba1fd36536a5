// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../replication/block-replication.test.js';
import '../replication/replica.test.js';
import '../scripts/bundles.test.js';
import '../scheduler/bounded-pass.test.js';
import '../scheduler/event-ids.test.js';
import '../scheduler/registration.test.js';
import '../scheduler/wait.test.js';
import '../server/logger.test.js';
