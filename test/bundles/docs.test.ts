// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../docs/contributing.test.js';
import '../docs/divergences.test.js';
import '../docs/evidence.test.js';
import '../docs/layers.test.js';
import '../docs/line-links.test.js';
import '../docs/porting-reference.test.js';
import '../docs/readme.test.js';
import '../docs/transfer.test.js';
