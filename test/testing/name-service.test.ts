// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, AF_INET6, EAI_AGAIN, EAI_FAIL, EAI_NONAME } from '../../src/posix/index.js';
import { twoHosts } from './fixture.js';

t.test('a name is looked up in virtual time, and getaddrinfo has the answer then', async (t) => {
  const { world, near, far } = twoHosts();
  world.name('backup', { addresses: ['fd00::2', '10.0.0.2'], afterSeconds: 3 });
  const expected = [
    { family: AF_INET6, address: 'fd00::2', port: 80 },
    { family: AF_INET, address: '10.0.0.2', port: 80 },
  ];
  t.equal(near.posix.getaddrinfo('backup', '80'), EAI_AGAIN);
  t.same(await world.complete(near.posix.resolve('backup', '80')), expected);
  t.equal(world.nowSeconds, 3);
  t.same(near.posix.getaddrinfo('backup', '80'), expected);
  t.equal(far.posix.getaddrinfo('backup', '80'), EAI_AGAIN, 'each process asks for itself');
});

t.test('a name that was never set does not exist; localhost does', async (t) => {
  const { world, near } = twoHosts();
  t.equal(await world.complete(near.posix.resolve('nobody', '1')), EAI_NONAME);
  t.equal(world.nowSeconds, 0.002, 'a lookup takes two milliseconds unless set otherwise');
  t.same(await world.complete(near.posix.resolve('localhost', '1')), [
    { family: AF_INET6, address: '::1', port: 1 },
    { family: AF_INET, address: '127.0.0.1', port: 1 },
  ]);
});

t.test('a lookup can fail for now, for good, or find nothing', async (t) => {
  const { world, near } = twoHosts();
  const lookup = (): Promise<unknown> => world.complete(near.posix.resolve('name', '1'));
  world.name('name', { failure: 'EAI_AGAIN' });
  t.equal(await lookup(), EAI_AGAIN);
  world.name('name', { failure: 'EAI_FAIL' });
  t.equal(await lookup(), EAI_FAIL);
  world.name('name', { addresses: [] });
  t.equal(await lookup(), EAI_NONAME);
  world.name('name', { addresses: ['10.0.0.9'] });
  t.match(await lookup(), [{ address: '10.0.0.9' }]);
  world.name('name', undefined);
  t.equal(await lookup(), EAI_NONAME, 'a name can be taken away');
});

t.test('a lookup can hang for ever, and the host continues', async (t) => {
  const { world, near } = twoHosts();
  world.name('tarpit', { afterSeconds: Infinity });
  let answered = false;
  const ask = async (): Promise<void> => {
    await near.posix.resolve('tarpit', '1');
    answered = true;
  };
  void ask();
  t.same(await world.complete(near.posix.select({}, 1000)), { read: [], write: [], except: [] });
  t.notOk(answered);
});
