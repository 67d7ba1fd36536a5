// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Files that are quick and leave the process as they found it, run in one: a process each would cost more than they do.

import '../posix/accept-queue.test.js';
import '../posix/adopt.test.js';
import '../posix/alarm.test.js';
import '../posix/bind-handle.test.js';
import '../posix/clock.test.js';
import '../posix/errno.test.js';
import '../posix/free-numbers.test.js';
import '../posix/gai.test.js';
import '../posix/linger.test.js';
import '../posix/name-resolver.test.js';
import '../posix/node-object.test.js';
import '../posix/node-poller.test.js';
import '../posix/node-posix-options.test.js';
import '../posix/node-posix.test.js';
import '../posix/peer-death.test.js';
import '../posix/stream-socket.test.js';
import '../posix/tls.test.js';
