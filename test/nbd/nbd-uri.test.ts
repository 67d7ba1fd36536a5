// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { nbdUri } from '../../src/nbd/index.js';
import { AF_INET, AF_INET6, AF_UNIX } from '../../src/posix/address.js';

t.test('a URI names the socket or the host, and the export', async (t) => {
  t.equal(
    nbdUri({ family: AF_UNIX, path: '/run/x/nbd.sock' }, '0', false),
    'nbd+unix:///0?socket=/run/x/nbd.sock',
  );
  t.equal(
    nbdUri({ family: AF_INET, address: '10.0.0.2', port: 10_809 }, '7', false),
    'nbd://10.0.0.2:10809/7',
  );
  t.equal(nbdUri({ family: AF_INET6, address: 'fd00::2', port: 9 }, '7', true), 'nbds://[fd00::2]:9/7');
});

t.test('if the server listens on all addresses, the URI has the loopback one', async (t) => {
  t.equal(nbdUri({ family: AF_INET, address: '0.0.0.0', port: 9 }, '0', false), 'nbd://127.0.0.1:9/0');
  t.equal(nbdUri({ family: AF_INET6, address: '::', port: 9 }, '0', false), 'nbd://[::1]:9/0');
});

t.test('characters special in URIs are escaped, and a path is absolute', async (t) => {
  t.equal(
    nbdUri({ family: AF_UNIX, path: '/a b/c?d&e#f' }, 'a/b', true),
    'nbds+unix:///a%2Fb?socket=/a%20b/c%3Fd%26e%23f',
  );
  t.equal(
    nbdUri({ family: AF_UNIX, path: './s' }, '0', false),
    `nbd+unix:///0?socket=${process.cwd().split('/').map(encodeURIComponent).join('/')}/s`,
  );
});
