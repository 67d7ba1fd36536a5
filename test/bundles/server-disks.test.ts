// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../server/drivers/aio.test.js';
import '../server/drivers/block-device.test.js';
import '../server/drivers/hole-punch.test.js';
import '../server/drivers/image-lock.test.js';
import '../server/drivers/image-size.test.js';
import '../server/drivers/log.test.js';
import '../server/drivers/ram.test.js';
import '../server/nbd/client.test.js';
import '../server/nbd/each-call.test.js';
import '../server/nbd/failures.test.js';
import '../server/nbd/handshake.test.js';
import '../server/nbd/server.test.js';
import '../server/nbd/streams.test.js';
import '../server/nbd/tls.test.js';
import '../server/nbd/transmission.test.js';
import '../server/vbd/completions.test.js';
import '../server/vbd/registry.test.js';
import '../server/vbd/request-queue.test.js';
import '../server/vbd/stack.test.js';
import '../server/vbd/vbd.test.js';
