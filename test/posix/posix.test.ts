// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import * as posix from '../../src/posix/index.js';
import { READABLE, WRITABLE, EXCEPTIONAL } from '../../src/posix/poller.js';
import * as calls from '../../src/posix/posix.js';
import { formatAddress, unboundAddress } from '../../src/posix/address.js';

t.test('families, levels, options and flags have Linux’s numbers', async (t) => {
  t.match(posix, { AF_UNSPEC: 0, AF_UNIX: 1, AF_INET: 2, AF_INET6: 10, PF_INET: 2, SOCK_STREAM: 1 });
  t.same(
    { ...calls },
    {
      SOL_SOCKET: 1,
      IPPROTO_TCP: 6,
      SO_REUSEADDR: 2,
      SO_ERROR: 4,
      SO_KEEPALIVE: 9,
      TCP_NODELAY: 1,
      TCP_KEEPIDLE: 4,
      TCP_KEEPALIVE_PROBES: 10,
      F_GETFL: 3,
      F_SETFL: 4,
      O_RDWR: 2,
      O_NONBLOCK: 2048,
      SHUT_RD: 0,
      SHUT_WR: 1,
      SHUT_RDWR: 2,
    },
  );
  t.same([READABLE, WRITABLE, EXCEPTIONAL], [1, 2, 4]);
});

t.test('codes of name resolution are glibc’s', async (t) => {
  t.same(
    Object.entries(posix)
      .filter(([name]) => name.startsWith('EAI_'))
      .toSorted(([, a], [, b]) => Number(b) - Number(a)),
    [
      ['EAI_BADFLAGS', -1],
      ['EAI_NONAME', -2],
      ['EAI_AGAIN', -3],
      ['EAI_FAIL', -4],
      ['EAI_NODATA', -5],
      ['EAI_FAMILY', -6],
      ['EAI_SOCKTYPE', -7],
      ['EAI_SERVICE', -8],
      ['EAI_ADDRFAMILY', -9],
      ['EAI_MEMORY', -10],
      ['EAI_SYSTEM', -11],
      ['EAI_OVERFLOW', -12],
    ],
  );
});

t.test('addresses of every family have a text, and one that is bound to nothing', async (t) => {
  t.equal(formatAddress({ family: posix.AF_INET, address: '10.0.0.2', port: 9000 }), '10.0.0.2:9000');
  t.equal(formatAddress({ family: posix.AF_INET6, address: '::1', port: 9000 }), '[::1]:9000');
  t.equal(formatAddress({ family: posix.AF_UNIX, path: '/run/x' }), '/run/x');
  t.same(unboundAddress(posix.AF_UNIX), { family: posix.AF_UNIX, path: '' });
  t.same(unboundAddress(posix.AF_INET), { family: posix.AF_INET, address: '0.0.0.0', port: 0 });
  t.same(unboundAddress(posix.AF_INET6), { family: posix.AF_INET6, address: '::', port: 0 });
});
