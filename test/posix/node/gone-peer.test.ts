// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, errno, type Inet4Address } from '../../../src/posix/index.js';
import { acceptOne, listening } from '../arms/world.js';
import { posixFor } from '../fixture.js';
import { goneClient } from '../gone-client.js';

t.test(
  'a connection that was reset before it was accepted has no peer, rather than one of this host',
  async (t) => {
    const posix = posixFor(t);
    const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
    goneClient((address as Inet4Address).port);
    const fd = await acceptOne(posix, listener);
    t.equal(posix.getpeername(fd), -errno.ENOTCONN);
    t.same(posix.getsockname(fd), address);
  },
);
