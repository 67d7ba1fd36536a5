// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../server/control/c-client.test.js';
import '../server/control/control-connection.test.js';
import '../server/control/control-directory.test.js';
import '../server/control/control-server.test.js';
import '../server/control/ctl.test.js';
import '../server/control/each-call.test.js';
import '../server/control/exchange-listener.test.js';
import '../server/control/message.test.js';
import '../server/control/requests.test.js';
import '../server/daemon/close-disks.test.js';
import '../server/daemon/daemon-options.test.js';
import '../server/daemon/daemon.test.js';
import '../server/daemon/readiness.test.js';
import '../server/daemon/trace.test.js';
import '../server/metrics/metrics-endpoint.test.js';
import '../server/metrics/observers.test.js';
import '../server/metrics/report.test.js';
import '../server/metrics/trace-file.test.js';
