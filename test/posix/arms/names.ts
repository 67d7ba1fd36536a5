// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, AF_INET6, EAI_AGAIN, EAI_NONAME, EAI_SERVICE } from '../../../src/posix/index.js';
import type { Behaviour } from './world.js';

/** getaddrinfo as far as it needs no lookup. */
export const numericNames: readonly Behaviour[] = [
  {
    title: 'getaddrinfo: numeric hosts are answered at once, in both families',
    body: async (t, { a }) => {
      t.same(a.getaddrinfo('10.0.0.2', '9000'), [{ family: AF_INET, address: '10.0.0.2', port: 9000 }]);
      t.same(a.getaddrinfo('::1', '0'), [{ family: AF_INET6, address: '::1', port: 0 }]);
      t.same(a.getaddrinfo('::1', '065535'), [{ family: AF_INET6, address: '::1', port: 65_535 }]);
      t.same(await a.resolve('10.0.0.2', '1'), [{ family: AF_INET, address: '10.0.0.2', port: 1 }]);
    },
  },
  {
    title: 'getaddrinfo: an empty host is EAI_NONAME, a port that is not 0 to 65535 in digits EAI_SERVICE',
    body: async (t, { a }) => {
      for (const ask of [a.getaddrinfo.bind(a), a.resolve.bind(a)]) {
        t.equal(await ask('', '1'), EAI_NONAME);
        t.equal(await ask(undefined as unknown as string, '1'), EAI_NONAME);
        for (const port of ['99999', '65536', '-1', '+1', '1.5', '', ' 1', 'http', '1'.repeat(40)]) {
          t.equal(await ask('10.0.0.2', port), EAI_SERVICE, `port '${port}'`);
        }
        t.equal(await ask('10.0.0.2', 80 as unknown as string), EAI_SERVICE);
      }
    },
  },
  {
    title: 'getaddrinfo: a name that was not looked up is EAI_AGAIN',
    body: async (t, { a }) => {
      t.equal(a.getaddrinfo('never.looked.up.invalid', '1'), EAI_AGAIN);
    },
  },
];
