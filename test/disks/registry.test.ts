// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { MAX_VBDS, VbdRegistry } from '../../src/disks/index.js';
import { logDriverType } from '../../src/disks/drivers/index.js';
import { bench, READ_WRITE, Results } from './bench.js';

t.test('a minor is attached once, from 0 to 65534', async (t) => {
  const { registry } = bench(t);
  t.equal(registry.attach(0), 0);
  t.equal(registry.attach(0), -errno.EEXIST);
  t.equal(registry.attach(65534), 0);
  for (const minor of [65535, -1, 1.5, Number.NaN])
    t.equal(registry.attach(minor), -errno.EINVAL, String(minor));
});

t.test('the number of VBDs is bounded', async (t) => {
  const { registry } = bench(t);
  for (let minor = 0; minor < MAX_VBDS; minor++) registry.attach(minor);
  t.equal(registry.attach(MAX_VBDS), -errno.ENOMEM);
  registry.detach(7);
  t.equal(registry.attach(MAX_VBDS), 0);
});

t.test('detach removes a closed VBD, and returns EBUSY for any other', async (t) => {
  const { registry, disks, opened } = bench(t);
  const vbd = opened();
  t.equal(registry.detach(0), -errno.EBUSY, 'running');
  void vbd.pause();
  t.equal(registry.detach(0), -errno.EBUSY, 'pausing');
  disks.answer('close');
  t.equal(registry.detach(0), -errno.EBUSY, 'paused');
  void vbd.close();
  t.equal(registry.detach(0), 0);
  t.equal(registry.detach(0), -errno.EINVAL);
  t.equal(registry.get(0), undefined);
  const results = new Results();
  results.follow(vbd.open('scripted:a', READ_WRITE));
  results.follow(vbd.close());
  results.follow(vbd.pause());
  results.follow(vbd.resume(undefined));
  t.strictSame(
    await results.settled(),
    Array(4).fill(-errno.EINVAL),
    'whoever still has the VBD can do nothing with it',
  );
  t.equal(vbd.state, 3, 'dead and closed');
});

t.test('a request for a minor that is not attached fails with EINVAL', async (t) => {
  const { registry } = bench(t);
  const results = new Results();
  results.follow(registry.open(1, 'scripted:a', READ_WRITE));
  results.follow(registry.close(1));
  results.follow(registry.pause(1));
  results.follow(registry.resume(1, undefined));
  t.strictSame(await results.settled(), Array(4).fill(-errno.EINVAL));
  await t.rejects(registry.close(1), { message: 'minor 1 is not attached; nothing is attached' });
  registry.attach(3);
  registry.attach(2);
  await t.rejects(registry.close(1), { message: 'minor 1 is not attached; attached: 3, 2' });
});

t.test('calls by minor reach their VBD, and list returns all in order of attachment', async (t) => {
  const { registry, disks } = bench(t);
  const results = new Results();
  registry.attach(9);
  registry.attach(2);
  results.follow(registry.open(9, 'scripted:nine', READ_WRITE));
  disks.answer('open nine');
  results.follow(registry.pause(9));
  disks.answer('close');
  t.strictSame(registry.list(), [
    { minor: 9, state: 0x2a, name: 'scripted:nine' },
    { minor: 2, state: 2, name: '' },
  ]);
  results.follow(registry.resume(9, 'scripted:ten'));
  disks.answer('open ten');
  results.follow(registry.close(9));
  disks.answer('close');
  t.strictSame(await results.settled(), [0, 0, 0, 0]);
});

t.test('a full descriptor table is an error when the registry is created', async (t) => {
  const { posix, server } = bench(t);
  const full = { registrar: server, posix, logger: server.logger, types: new Map() };
  const taken: number[] = [];
  for (let fd = posix.eventfd(); fd >= 0; fd = posix.eventfd()) taken.push(fd);
  t.throws(() => new VbdRegistry(full), { code: 'EMFILE', message: /counter descriptor: EMFILE/ });
  for (const fd of taken) posix.close(fd);
});

t.test('who listens hears of the drivers of each image before they are opened, until it stops', async (t) => {
  const { registry, disks } = bench(t, { types: [logDriverType] });
  const heard: string[] = [];
  const stop = registry.onOpening(({ minor, phase }, drivers) => {
    heard.push(`${minor} ${phase}: ${drivers.map((driver) => driver.describe?.()).join(' | ')}`);
    t.same(disks.log, [], 'none of them is asked yet');
  });
  registry.attach(3);
  const results = new Results();
  results.follow(registry.open(3, 'log:|scripted:a', READ_WRITE));
  t.match(heard, [/^3 opening: log.* \| scripted a$/]);
  disks.answer('open a');
  results.follow(registry.pause(3));
  disks.answer('close');
  disks.log.length = 0;
  results.follow(registry.resume(3, 'scripted:b'));
  t.match(heard.slice(1), ['3 resuming: scripted b']);
  disks.answer('open b');
  stop();
  registry.attach(4);
  results.follow(registry.open(4, 'scripted:c', READ_WRITE));
  t.equal(heard.length, 2);
  t.same(await results.settled(), [0, 0, 0]);
});
