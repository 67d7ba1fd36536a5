// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { promises } from 'node:dns';
import t from 'tap';
import {
  AF_INET,
  AF_INET6,
  EAI_AGAIN,
  EAI_FAIL,
  EAI_MEMORY,
  EAI_NONAME,
  EAI_SERVICE,
  NodePosix,
  systemLookup,
} from '../../../src/posix/index.js';

function posixWith(lookup: (host: string) => Promise<{ address: string }[]>): NodePosix {
  return new NodePosix({ lookup });
}

t.test(
  'a name is looked up by resolve, and getaddrinfo has the answer: both families, in the order given',
  async (t) => {
    const asked: string[] = [];
    const posix = posixWith(async (host) => {
      asked.push(host);
      return [{ address: '2001:db8::1' }, { address: '192.0.2.7' }];
    });
    t.equal(posix.getaddrinfo('backup', '9000'), EAI_AGAIN);
    const expected = [
      { family: AF_INET6, address: '2001:db8::1', port: 9000 },
      { family: AF_INET, address: '192.0.2.7', port: 9000 },
    ];
    t.same(await posix.resolve('backup', '9000'), expected);
    t.same(posix.getaddrinfo('backup', '9000'), expected);
    t.match(posix.getaddrinfo('backup', '1'), [{ port: 1 }, { port: 1 }], 'for any port');
    t.same(asked, ['backup']);
  },
);

t.test('numeric hosts and bad ports need no lookup', async (t) => {
  const posix = posixWith(() => Promise.reject(new Error('asked')));
  t.match(await posix.resolve('192.0.2.7', '1'), [{ address: '192.0.2.7' }]);
  t.type(await posix.resolve('backup', 'x'), 'number');
  t.equal(posix.getaddrinfo('backup', '1'), EAI_AGAIN);
});

t.test('the system is asked for the addresses of both families, in its own order', async (t) => {
  const { lookup } = promises;
  t.teardown(() => (promises.lookup = lookup));
  const asked: unknown[] = [];
  promises.lookup = (async (...parts: unknown[]) => {
    asked.push(parts);
    return [{ address: '::1', family: 6 }];
  }) as typeof lookup;
  t.match(await systemLookup('backup'), [{ address: '::1' }]);
  t.same(asked, [['backup', { all: true, verbatim: true }]]);
});

t.test('a port has at most ten digits', async (t) => {
  const posix = new NodePosix();
  t.match(posix.getaddrinfo('192.0.2.7', '0000009000'), [{ port: 9000 }]);
  t.equal(posix.getaddrinfo('192.0.2.7', '00000009000'), EAI_SERVICE);
  t.match(posix.getaddrinfo('192.0.2.7', '65535'), [{ port: 65_535 }]);
  t.equal(posix.getaddrinfo('192.0.2.7', '65536'), EAI_SERVICE);
});

t.test('a failed lookup is a result too, and the next one replaces it', async (t) => {
  const errors: [unknown, number][] = [
    [Object.assign(new Error(), { code: 'ENOTFOUND' }), EAI_NONAME],
    [Object.assign(new Error(), { code: 'EAI_AGAIN' }), EAI_AGAIN],
    [Object.assign(new Error(), { code: 'EAI_MEMORY' }), EAI_MEMORY],
    [Object.assign(new Error(), { code: 'ENOMEM' }), EAI_MEMORY],
    [Object.assign(new Error(), { code: 'EAI_FAIL' }), EAI_FAIL],
    [new Error('anything else'), EAI_FAIL],
    [undefined, EAI_FAIL],
  ];
  for (const [error, code] of errors) {
    let fails = true;
    const posix = posixWith(() =>
      fails ? Promise.reject(error) : Promise.resolve([{ address: '192.0.2.1' }]),
    );
    t.equal(await posix.resolve('name', '1'), code);
    t.equal(posix.getaddrinfo('name', '1'), code);
    fails = false;
    t.match(await posix.resolve('name', '1'), [{ address: '192.0.2.1' }]);
    t.match(posix.getaddrinfo('name', '1'), [{ address: '192.0.2.1' }]);
  }
});

t.test('an answer with no addresses, or invalid ones, is EAI_NONAME', async (t) => {
  t.equal(await posixWith(async () => []).resolve('name', '1'), EAI_NONAME);
  t.equal(await posixWith(async () => [{ address: 'not one' }]).resolve('name', '1'), EAI_NONAME);
});

t.test('the lookup that began last counts, whichever ends last', async (t) => {
  const pending: ((address: string) => void)[] = [];
  const posix = posixWith(() => new Promise((resolve) => pending.push((address) => resolve([{ address }]))));
  const first = posix.resolve('name', '1');
  const second = posix.resolve('name', '1');
  pending[1]?.('192.0.2.2');
  await second;
  pending[0]?.('192.0.2.1');
  t.match(await first, [{ address: '192.0.2.2' }]);
  t.match(posix.getaddrinfo('name', '1'), [{ address: '192.0.2.2' }]);
});

t.test('answers are kept for 256 names; the one looked up longest ago goes first', async (t) => {
  const posix = posixWith(async () => [{ address: '192.0.2.1' }]);
  for (let n = 0; n < 256; n++) await posix.resolve(`name${n}`, '1');
  await posix.resolve('name0', '1');
  await posix.resolve('one more', '1');
  t.equal(posix.getaddrinfo('name1', '1'), EAI_AGAIN);
  for (const kept of ['name0', 'name2', 'one more']) t.type(posix.getaddrinfo(kept, '1'), Array, kept);
});

t.test(
  "the system's own lookup knows localhost, and that .invalid does not exist, without stalling the loop",
  async (t) => {
    const posix = new NodePosix();
    let turns = 0;
    const count = setInterval(() => (turns += 1), 1);
    const local = await posix.resolve('localhost', '80');
    t.match(local, [{ port: 80 }]);
    const missing = await posix.resolve('does-not-exist.invalid', '80');
    clearInterval(count);
    t.ok(missing === EAI_NONAME || missing === EAI_AGAIN, `got ${JSON.stringify(missing)}`);
    t.match(await systemLookup('127.0.0.1'), [{ address: '127.0.0.1' }]);
  },
);
