// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../conformance/command.test.js';
import '../conformance/connect-walk.test.js';
import '../conformance/drivers.test.js';
import '../conformance/model.test.js';
import '../conformance/mutants.test.js';
import '../conformance/semantics.test.js';
import '../conformance/trace-diff.test.js';
import '../conformance/vector-file.test.js';
