// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { bench, Results } from './bench.js';

t.test('where the driver has no call for zeroes they are written, a MiB at a time', (t) => {
  const { opened, disks } = bench(t, { sectors: 10_000 });
  const vbd = opened();
  const results = new Results();
  vbd.writeZeroes(100, 5000, results.done);
  for (const expected of ['write 100+2048', 'write 2148+2048', 'write 4196+904']) {
    t.strictSame(results.told, []);
    t.equal(disks.log.at(-1), expected);
    const call = disks.take('write');
    t.ok(call.buffer!.every((byte) => byte === 0));
    t.equal(call.buffer!.length, call.sectors * 512);
    call.answer(0);
  }
  t.strictSame(results.told, [0]);
  t.end();
});

t.test('the first error ends it', (t) => {
  const { opened, disks } = bench(t, { sectors: 10_000 });
  const results = new Results();
  opened().writeZeroes(0, 5000, results.done);
  disks.answer('write');
  disks.answer('write', -errno.ENOSPC);
  t.strictSame(results.told, [-errno.ENOSPC]);
  t.strictSame(disks.calls, []);
  t.end();
});

t.test('a driver that answers before it returns is asked for all in turn, to the first error', (t) => {
  const { opened, disks } = bench(t, { sectors: 2048 * 20_000 });
  const vbd = opened();
  const results = new Results();
  disks.answerAtOnce = () => 0;
  vbd.writeZeroes(0, 2048 * 20_000, results.done);
  t.strictSame(results.told, [0]);
  t.equal(disks.log.length, 20_000);
  disks.answerAtOnce = () => (disks.log.length === 20_003 ? -errno.EIO : 0);
  vbd.writeZeroes(0, 2048 * 20_000, results.done);
  t.strictSame(results.told, [0, -errno.EIO]);
  t.equal(disks.log.length, 20_003);
  t.end();
});
