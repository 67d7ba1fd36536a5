// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { bench, Results } from './bench.js';

const sector = (count = 1): Buffer => Buffer.alloc(512 * count);

t.test('clients whose requests wait take turns, whatever number of requests each has', (t) => {
  const { opened, disks } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  const [flooding, second, occasional] = [vbd.forClient(), vbd.forClient(), vbd.forClient()];
  for (let at = 0; at < 20; at++) flooding.queueRead(at, sector(), () => {});
  for (let at = 100; at < 120; at++) second.queueRead(at, sector(), () => {});
  occasional.queueRead(200, sector(), () => {});
  for (let turn = 0; turn < 6; turn++) disks.answer('read');
  t.strictSame(disks.log, [
    'read 0+1',
    'read 1+1',
    'read 100+1',
    'read 200+1',
    'read 2+1',
    'read 101+1',
    'read 3+1',
  ]);
  t.end();
});

t.test('a later client has its turn after one request of each other client', (t) => {
  const { opened, disks } = bench(t, { maxInFlight: 2 });
  const vbd = opened();
  const flooding = Array.from({ length: 4 }, () => vbd.forClient());
  for (let at = 0; at < 400; at++) flooding[at % 4]!.queueRead(at, sector(), () => {});
  for (let turn = 0; turn < 50; turn++) disks.answer('read');
  const before = disks.log.length;
  vbd.forClient().queueRead(1000, sector(), () => {});
  for (let turn = 0; turn < 5; turn++) disks.answer('read');
  t.ok(disks.log.slice(before).includes('read 1000+1'), disks.log.slice(before).join());
  t.end();
});

t.test('a client that had nothing waiting has its turn after the clients that waited by then', (t) => {
  const { opened, disks } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  const [first, second, third, fourth] = [vbd.forClient(), vbd.forClient(), vbd.forClient(), vbd.forClient()];
  for (const at of [0, 1]) first.queueRead(at, sector(), () => {});
  second.queueRead(100, sector(), () => {});
  third.queueRead(200, sector(), () => {});
  disks.answer('read');
  fourth.queueRead(300, sector(), () => {});
  first.queueRead(2, sector(), () => {});
  for (let turn = 0; turn < 4; turn++) disks.answer('read');
  t.strictSame(disks.log.slice(2), ['read 100+1', 'read 200+1', 'read 300+1', 'read 2+1']);
  t.end();
});

t.test('the requests of a client keep their order, retried ones included', async (t) => {
  const { opened, disks, pass } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  const [first, second] = [vbd.forClient(), vbd.forClient()];
  first.queueWrite(0, sector(), () => {});
  first.queueWrite(0, sector(2), () => {});
  first.queueWrite(5, sector(), () => {});
  second.queueWrite(9, sector(), () => {});
  disks.answer('write', -errno.EBUSY);
  t.strictSame(
    disks.log,
    ['write 0+1', 'write 9+1'],
    'what conflicts with a busy request holds up its client only',
  );
  disks.answer('write');
  await pass(1);
  for (let turn = 0; turn < 3; turn++) disks.answer('write');
  t.strictSame(disks.log.slice(2), ['write 0+1', 'write 0+2', 'write 5+1']);
});

t.test('changes of parts of one sector exclude each other across clients', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const [first, second] = [vbd.forClient(), vbd.forClient()];
  const results = new Results();
  first.writeBytes(10, Buffer.alloc(10), results.done);
  second.writeBytes(30, Buffer.alloc(10), results.done);
  t.strictSame(disks.log, ['read 0+1']);
  disks.answer('read');
  disks.answer('write');
  t.strictSame(disks.log, ['read 0+1', 'write 0+1', 'read 0+1']);
  disks.answer('read');
  disks.answer('write');
  t.strictSame(await results.settled(), [0, 0]);
});

t.test('requests of every client that still wait when a disk closes are refused', async (t) => {
  const { opened, disks } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  const results = new Results();
  for (const client of [vbd.forClient(), vbd.forClient(), vbd]) {
    client.queueRead(0, sector(), () => {});
    client.queueRead(0, sector(), results.done);
  }
  void vbd.pause();
  disks.answer('read');
  disks.answer('close');
  await new Promise(setImmediate);
  await vbd.close();
  t.equal((await results.settled()).length, 3);
});

t.test('a line keeps its order whatever is put at either end of it', async (t) => {
  const { opened, disks, pass } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  // A busy request comes back to the front of those that wait, and later ones go to the end.
  for (const at of [1, 2, 3]) vbd.queueRead(at, sector(), () => {});
  disks.answer('read', -errno.EBUSY);
  await pass(1);
  vbd.queueRead(4, sector(), () => {});
  for (let turn = 0; turn < 4; turn++) disks.answer('read');
  vbd.queueRead(5, sector(), () => {});
  t.same(
    disks.log.map((line) => line.replace('read ', '')),
    ['1+1', '2+1', '1+1', '3+1', '4+1', '5+1'],
  );
  t.match(vbd.statistics(), { inFlight: 1, waiting: 0, retries: 1 });
});
