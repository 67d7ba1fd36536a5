// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../testing/byte-ring.test.js';
import '../testing/call-faults.test.js';
import '../testing/call-text.test.js';
import '../testing/cli.test.js';
import '../testing/each-call.test.js';
import '../testing/event-queue.test.js';
import '../testing/host.test.js';
import '../testing/invariants/checked-streams.test.js';
import '../testing/invariants/watched-connect.test.js';
import '../testing/invariants/watched-registrar.test.js';
import '../testing/link.test.js';
import '../testing/machine.test.js';
import '../testing/name-service.test.js';
import '../testing/random.test.js';
import '../testing/simulated-poller.test.js';
import '../testing/simulation/simulate.test.js';
import '../testing/trace.test.js';
import '../testing/world.test.js';
