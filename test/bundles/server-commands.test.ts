// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../server/cli/dispatch.test.js';
import '../server/cli/format.test.js';
import '../server/cli/host-port.test.js';
import '../server/cli/reporter.test.js';
import '../server/cli/roles.test.js';
import '../server/cli/status-table.test.js';
import '../server/status/status-directory.test.js';
import '../server/text-table.test.js';
import '../server/thrown-text.test.js';
import '../server/transfer/backup-answer.test.js';
import '../server/transfer/foreign.test.js';
import '../server/transfer/image-reader.test.js';
import '../server/transfer/input.test.js';
import '../server/transfer/meter.test.js';
import '../server/transfer/output-file.test.js';
import '../server/transfer/output-standard.test.js';
import '../server/transfer/pump.test.js';
import '../server/transfer/transfer-status.test.js';
import '../server/transfer/wire.test.js';
