// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { ESHUTDOWN, LATENCY_BOUNDS_SECONDS, MAX_RETRIES, REQUEST_KINDS } from '../../src/disks/index.js';
import { ramDriverType } from '../../src/disks/drivers/index.js';
import { bench, READ_WRITE, Results } from './bench.js';

const sectors = (count = 1): Buffer => Buffer.alloc(512 * count);

t.test('requests up to the limit go to the driver, and the next one when one ends', async (t) => {
  const { opened, disks } = bench(t, { maxInFlight: 2 });
  const vbd = opened();
  for (let sector = 0; sector < 4; sector++) vbd.queueRead(sector, sectors(), () => {});
  t.strictSame(disks.log, ['read 0+1', 'read 1+1']);
  t.match(vbd.statistics(), { inFlight: 2, waiting: 2 });
  disks.calls[1]!.answer(0);
  t.strictSame(disks.log.slice(2), ['read 2+1']);
});

t.test('a driver that completes before it returns takes any number of requests in turn', async (t) => {
  const { opened, disks } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  const results = new Results();
  vbd.queueRead(0, sectors(), results.done);
  for (let count = 0; count < 20_000; count++) vbd.queueRead(0, sectors(), results.done);
  disks.answerAtOnce = () => 0;
  disks.answer('read');
  t.equal(results.told.length, 20_001, 'and the stack does not grow with them');
});

t.test('requests outside of the disk, or not of whole sectors, are refused', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.queueRead(2048, sectors(), results.done);
  vbd.queueRead(2047, sectors(2), results.done);
  vbd.queueRead(-1, sectors(), results.done);
  vbd.queueRead(0.5, sectors(), results.done);
  vbd.queueRead(Number.MAX_SAFE_INTEGER, sectors(), results.done);
  vbd.queueRead(0, Buffer.alloc(0), results.done);
  vbd.queueWrite(0, Buffer.alloc(100), results.done);
  vbd.discard(0, 3000, results.done);
  vbd.writeZeroes(2000, 49, results.done);
  t.strictSame(await results.settled(), Array(9).fill(-errno.EINVAL));
  t.strictSame(disks.log, []);
});

t.test('a read-only opening refuses changes and takes reads and flushes', async (t) => {
  const { opened, disks } = bench(t, { canDiscard: true });
  const vbd = opened({ readOnly: true });
  const results = new Results();
  vbd.queueWrite(0, sectors(), results.done);
  vbd.discard(0, 1, results.done);
  vbd.writeZeroes(0, 1, results.done);
  t.strictSame(await results.settled(), Array(3).fill(-errno.EROFS));
  vbd.queueRead(0, sectors(), results.done);
  vbd.flush(results.done);
  t.strictSame(disks.log, ['read 0+1', 'flush']);
});

t.test('a closed VBD refuses requests', async (t) => {
  const { registry } = bench(t);
  registry.attach(0);
  const results = new Results();
  registry.get(0)!.queueRead(0, sectors(), results.done);
  registry.get(0)!.flush(results.done);
  t.strictSame(await results.settled(), [-ESHUTDOWN, -ESHUTDOWN]);
});

t.test('a change with forced unit access completes after a flush', async (t) => {
  const { opened, disks } = bench(t, { canDiscard: true, canZero: true });
  const vbd = opened();
  const results = new Results();
  const forceUnitAccess = true;
  vbd.queueWrite(1, sectors(), results.done, { forceUnitAccess });
  vbd.discard(2, 1, results.done, { forceUnitAccess });
  vbd.writeZeroes(3, 1, results.done, { forceUnitAccess });
  disks.answer('write');
  disks.answer('discard');
  disks.answer('zeroes');
  t.strictSame(await results.settled(), []);
  disks.answer('flush');
  disks.answer('flush', -errno.EIO);
  disks.answer('flush');
  t.strictSame(await results.settled(), [0, -errno.EIO, 0]);
  vbd.queueWrite(1, sectors(), results.done, { forceUnitAccess });
  disks.answer('write', -errno.ENOSPC);
  t.strictSame((await results.settled()).slice(3), [-errno.ENOSPC], 'one that failed is not flushed');
  t.strictSame(disks.calls, []);
});

t.test('a pause waits for the flush of a forced write', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.queueWrite(1, sectors(), () => {}, { forceUnitAccess: true });
  results.follow(vbd.pause());
  disks.answer('write');
  disks.answer('flush');
  disks.answer('close');
  t.strictSame(await results.settled(), [0]);
});

t.test('discard is refused if the driver does not support it', async (t) => {
  const { opened } = bench(t);
  const vbd = opened();
  const results = new Results();
  t.equal(vbd.canDiscard, false);
  vbd.discard(0, 1, results.done);
  t.strictSame(await results.settled(), [-errno.EOPNOTSUPP]);
});

t.test('a request that fails with EBUSY is retried once a second', async (t) => {
  const { opened, disks, pass } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.queueWrite(1, sectors(), results.done);
  disks.answer('write', -errno.EBUSY);
  t.equal(vbd.state, 256, 'retry needed');
  t.match(vbd.statistics(), { inFlight: 0, waiting: 1, retrying: 1, retries: 0 });
  await pass(0.9);
  t.strictSame(disks.calls, []);
  await pass(0.1);
  disks.answer('write', -errno.EBUSY);
  await pass(1);
  disks.answer('write');
  t.strictSame(await results.settled(), [0]);
  t.equal(vbd.state, 0);
  t.equal(vbd.statistics().retries, 2);
});

t.test('a request that stays busy is given up after its hundredth retry', async (t) => {
  const { opened, disks, pass, server } = bench(t);
  const vbd = opened();
  const results = new Results();
  const events = [...server.scheduler.events()].length;
  vbd.queueWrite(1, sectors(), results.done);
  for (let retry = 0; retry < MAX_RETRIES; retry++) {
    disks.answer('write', -errno.EBUSY);
    await pass(1);
  }
  t.strictSame(await results.settled(), []);
  disks.answer('write', -errno.EBUSY);
  t.strictSame(await results.settled(), [-errno.EBUSY]);
  t.equal(disks.log.length, 101);
  t.equal([...server.scheduler.events()].length, events, 'and no timer is left');
});

t.test('a request ends with 0 when its driver completes it with a positive number', async (t) => {
  const { opened, disks } = bench(t);
  const results = new Results();
  opened().queueRead(1, sectors(), results.done);
  disks.answer('read', 512);
  t.strictSame(results.told, [0]);
});

t.test('any other error ends the request at once', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  for (const error of [errno.EIO, errno.ENOSPC, errno.EAGAIN]) {
    vbd.queueWrite(1, sectors(), results.done);
    disks.answer('write', -error);
  }
  t.strictSame(await results.settled(), [-errno.EIO, -errno.ENOSPC, -errno.EAGAIN]);
});

t.test('requests that conflict with a busy one wait for it, and earlier ones pass', async (t) => {
  const { opened, disks, pass } = bench(t);
  const vbd = opened();
  vbd.queueWrite(10, sectors(4), () => {});
  disks.answer('write', -errno.EBUSY);
  disks.log.length = 0;
  vbd.queueRead(20, sectors(), () => {});
  vbd.queueRead(13, sectors(), () => {});
  vbd.queueRead(30, sectors(), () => {});
  t.strictSame(disks.log, ['read 20+1'], 'sector 13 is one of the write’s');
  await pass(1);
  t.strictSame(disks.log, ['read 20+1', 'write 10+4', 'read 13+1', 'read 30+1']);
});

t.test('a write waits for a busy read of its sectors', async (t) => {
  const { opened, disks, pass } = bench(t);
  const vbd = opened();
  vbd.queueRead(10, sectors(4), () => {});
  disks.answer('read', -errno.EBUSY);
  disks.log.length = 0;
  vbd.queueWrite(13, sectors(), () => {});
  t.strictSame(disks.log, []);
  await pass(1);
  t.strictSame(disks.log, ['read 10+4', 'write 13+1']);
});

t.test(
  'reads and block status pass a busy read of their sectors, and a flush passes a busy write',
  async (t) => {
    const { opened, disks } = bench(t);
    const vbd = opened();
    vbd.queueRead(0, sectors(4), () => {});
    disks.answer('read', -errno.EBUSY);
    vbd.queueWrite(4, sectors(4), () => {});
    disks.answer('write', -errno.EBUSY);
    vbd.queueRead(0, sectors(2), () => {});
    const results = new Results();
    vbd.blockStatus(0, 2, results.done);
    vbd.flush(() => {});
    t.strictSame(disks.log.slice(2), ['read 0+2', 'flush']);
    t.strictSame(results.told, [0]);
  },
);

t.test('a request that turns busy later does not put off the retry of an earlier one', async (t) => {
  const { opened, disks, clock, step } = bench(t);
  const vbd = opened();
  for (const sector of [1, 2]) vbd.queueRead(sector, sectors(), () => {});
  disks.answer('read', -errno.EBUSY);
  clock.seconds += 1;
  disks.answer('read', -errno.EBUSY);
  disks.log.length = 0;
  await step();
  t.strictSame(disks.log, ['read 1+1', 'read 2+1']);
});

t.test('busy requests are retried in order of submission', async (t) => {
  const { opened, disks, pass } = bench(t);
  const vbd = opened();
  for (const sector of [1, 2, 3]) vbd.queueRead(sector, sectors(), () => {});
  const [first, second, third] = disks.calls.splice(0);
  second!.answer(-errno.EBUSY);
  third!.answer(-errno.EBUSY);
  first!.answer(-errno.EBUSY);
  disks.log.length = 0;
  await pass(1);
  t.strictSame(disks.log, ['read 1+1', 'read 2+1', 'read 3+1']);
});

t.test('when the flush of a forced write is busy, only the flush is retried', async (t) => {
  const { opened, disks, pass } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.queueWrite(1, sectors(), results.done, { forceUnitAccess: true });
  disks.answer('write');
  disks.answer('flush', -errno.EBUSY);
  await pass(1);
  disks.answer('flush');
  t.strictSame(await results.settled(), [0]);
  t.strictSame(disks.log, ['write 1+1', 'flush', 'flush']);
});

t.test('a pause does not wait for busy requests; they are tried again after resume', async (t) => {
  const { opened, disks, pass } = bench(t);
  const vbd = opened();
  const pauses = new Results();
  vbd.queueWrite(1, sectors(), () => {});
  disks.answer('write', -errno.EBUSY);
  pauses.follow(vbd.pause());
  disks.answer('close');
  t.strictSame(await pauses.settled(), [0]);
  disks.log.length = 0;
  await pass(1);
  t.strictSame(disks.log, []);
  void vbd.resume(undefined);
  disks.answer('open disk');
  t.strictSame(disks.log, ['open disk', 'write 1+1']);
});

t.test('close fails busy requests', async (t) => {
  const { opened, disks, server } = bench(t);
  const vbd = opened();
  const requests = new Results();
  const closes = new Results();
  const events = [...server.scheduler.events()].length;
  vbd.queueWrite(1, sectors(), requests.done);
  disks.answer('write', -errno.EBUSY);
  closes.follow(vbd.close());
  t.strictSame(await requests.settled(), [-errno.EBUSY]);
  disks.answer('close');
  t.strictSame(await closes.settled(), [0]);
  t.equal([...server.scheduler.events()].length, events);
});

t.test(
  'busy requests fail when their disk is closed while it is paused, and new ones are refused',
  async (t) => {
    const { opened, disks, server } = bench(t);
    const vbd = opened();
    const requests = new Results();
    const events = [...server.scheduler.events()].length;
    vbd.queueWrite(1, sectors(), requests.done);
    disks.answer('write', -errno.EBUSY);
    void vbd.pause();
    disks.answer('close');
    await vbd.close();
    t.strictSame(await requests.settled(), [-errno.EBUSY]);
    t.equal([...server.scheduler.events()].length, events, 'no timer is left');
    vbd.flush(requests.done);
    t.strictSame(await requests.settled(), [-errno.EBUSY, -ESHUTDOWN]);
  },
);

t.test('a request that turns busy while the VBD is being closed is not tried again', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const requests = new Results();
  vbd.queueWrite(1, sectors(), requests.done);
  new Results().follow(vbd.close());
  disks.answer('write', -errno.EBUSY);
  t.strictSame(await requests.settled(), [-errno.EBUSY]);
  disks.answer('close');
  t.equal(vbd.phase, 'closed');
});

t.test('a VBD refuses requests beyond the bound on pending ones', async (t) => {
  const { opened, disks } = bench(t, { maxInFlight: 1 });
  const vbd = opened();
  const results = new Results();
  for (let count = 0; count < 65_537; count++) vbd.flush(() => {});
  vbd.flush(results.done);
  t.strictSame(await results.settled(), [-errno.ENOMEM]);
  disks.answerAtOnce = () => 0;
  disks.answer('flush');
  t.match(vbd.statistics(), { inFlight: 0, waiting: 0 });
});

t.test('a busy request ends with EBUSY when the scheduler has no room for a timer', async (t) => {
  const { opened, disks, server } = bench(t);
  const vbd = opened();
  const results = new Results();
  server.registerEvent = () => -errno.EBUSY;
  vbd.queueWrite(1, sectors(), results.done);
  disks.answer('write', -errno.EBUSY);
  t.strictSame(await results.settled(), [-errno.EBUSY]);
  t.equal(vbd.statistics().retrying, 0);
});

t.test('a driver that completes a request twice is detected', async (t) => {
  const { opened, disks } = bench(t);
  opened().queueRead(0, sectors(), () => {});
  const call = disks.take('read');
  call.answer(0);
  t.throws(() => call.answer(0), /completed a request twice/);
});

t.test('without a zeroing call in the driver, zeroes are written a MiB at a time', async (t) => {
  const { opened, disks } = bench(t, { sectors: 10_000 });
  const vbd = opened();
  const results = new Results();
  vbd.writeZeroes(100, 5000, results.done);
  for (const expected of ['write 100+2048', 'write 2148+2048', 'write 4196+904']) {
    t.strictSame(await results.settled(), []);
    t.equal(disks.log.at(-1), expected);
    const call = disks.take('write');
    t.ok(call.buffer!.every((byte) => byte === 0));
    t.equal(call.buffer!.length, call.sectors * 512);
    call.answer(0);
  }
  t.strictSame(await results.settled(), [0]);
});

t.test('the first error ends it', async (t) => {
  const { opened, disks } = bench(t, { sectors: 10_000 });
  const results = new Results();
  opened().writeZeroes(0, 5000, results.done);
  disks.answer('write');
  disks.answer('write', -errno.ENOSPC);
  t.strictSame(await results.settled(), [-errno.ENOSPC]);
  t.strictSame(disks.calls, []);
});

t.test(
  'a driver that answers before it returns is asked for all, some in a turn, to the first error',
  async (t) => {
    const { opened, disks, step } = bench(t, { sectors: 2048 * 2000 });
    const vbd = opened();
    const results = new Results();
    disks.answerAtOnce = () => 0;
    vbd.writeZeroes(0, 2048 * 2000, results.done);
    await step();
    t.ok(disks.log.length < 100, 'others have their turn');
    while (results.told.length < 1) await step();
    t.strictSame(results.told, [0]);
    t.equal(disks.log.length, 2000);
    disks.answerAtOnce = () => (disks.log.length === 2003 ? -errno.EIO : 0);
    vbd.writeZeroes(0, 2048 * 2000, results.done);
    while (results.told.length < 2) await step();
    t.strictSame(results.told, [0, -errno.EIO]);
    t.equal(disks.log.length, 2003);
  },
);

t.test('statistics start at zero', async (t) => {
  const { opened } = bench(t);
  const { kinds, ...rest } = opened().statistics();
  t.strictSame(rest, { inFlight: 0, waiting: 0, retrying: 0, retries: 0 });
  t.strictSame(Object.keys(kinds), [...REQUEST_KINDS]);
  for (const kind of REQUEST_KINDS) {
    const { latencyBuckets, ...counts } = kinds[kind];
    t.strictSame(counts, { completed: 0, failed: 0, bytes: 0, latencySumSeconds: 0 });
    t.strictSame(latencyBuckets, Array(LATENCY_BOUNDS_SECONDS.length + 1).fill(0));
  }
});

t.test('requests are counted by kind, with the bytes of successful ones', async (t) => {
  const { opened, disks } = bench(t, { canDiscard: true, canZero: true });
  const vbd = opened();
  vbd.queueRead(0, Buffer.alloc(1024), () => {});
  vbd.queueRead(0, Buffer.alloc(512), () => {});
  vbd.queueWrite(0, Buffer.alloc(2048), () => {});
  vbd.discard(0, 8, () => {});
  vbd.writeZeroes(0, 16, () => {});
  vbd.flush(() => {});
  t.equal(vbd.statistics().inFlight, 6);
  disks.answer('read');
  disks.answer('read', -errno.EIO);
  disks.answer('write');
  disks.answer('discard');
  disks.answer('zeroes');
  disks.answer('flush');
  t.match(vbd.statistics().kinds, {
    read: { completed: 2, failed: 1, bytes: 1024 },
    write: { completed: 1, failed: 0, bytes: 2048 },
    discard: { completed: 1, bytes: 4096 },
    writeZeroes: { completed: 1, bytes: 8192 },
    flush: { completed: 1, bytes: 0 },
  });
});

t.test(
  'latency is counted from queueing to completion, waiting included, in the bucket it fits',
  async (t) => {
    const { opened, disks, clock } = bench(t, { maxInFlight: 1 });
    const vbd = opened();
    const latencies = [0, 0.5, 10, 11];
    for (const _ of latencies) vbd.queueRead(0, Buffer.alloc(512), () => {});
    for (const latency of latencies) {
      clock.seconds = 1_000_000_000 + latency;
      disks.answer('read');
    }
    const { latencySumSeconds, latencyBuckets } = vbd.statistics().kinds.read;
    t.equal(latencySumSeconds, 21.5);
    const expected = Array(LATENCY_BOUNDS_SECONDS.length + 1).fill(0);
    expected[0] = 1;
    expected[LATENCY_BOUNDS_SECONDS.indexOf(0.5)] = 1;
    expected[LATENCY_BOUNDS_SECONDS.indexOf(10)] = 1;
    expected[LATENCY_BOUNDS_SECONDS.length] = 1;
    t.strictSame(latencyBuckets, expected);
  },
);

t.test('when a disk is closed, what waited for a busy request still goes to it', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.queueWrite(1, sectors(), results.done);
  disks.answer('write', -errno.EBUSY);
  vbd.queueRead(1, sectors(), results.done);
  t.strictSame(disks.log, ['write 1+1']);
  const closes = new Results();
  closes.follow(vbd.close());
  t.strictSame(disks.log, ['write 1+1', 'preClose', 'read 1+1']);
  t.strictSame(await closes.settled(), [-errno.EAGAIN]);
  disks.answer('read');
  disks.answer('close');
  t.strictSame(results.told, [-errno.EBUSY, 0]);
  t.equal(vbd.phase, 'closed');
});

t.test('a request is counted before its caller is notified', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const counts: unknown[] = [];
  vbd.queueRead(0, sectors(), () => {
    const { inFlight, kinds } = vbd.statistics();
    counts.push([inFlight, kinds.read.completed]);
  });
  disks.answer('read');
  t.strictSame(counts, [[0, 1]]);
});

t.test('a flush passes a busy write of the first sectors', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  vbd.queueWrite(0, sectors(4), () => {});
  disks.answer('write', -errno.EBUSY);
  vbd.flush(() => {});
  t.strictSame(disks.log, ['write 0+4', 'flush']);
});

t.test('zeroes are fast only where the driver has a call for that', async (t) => {
  const { opened, disks } = bench(t, { canZero: true });
  const vbd = opened();
  const results = new Results();
  vbd.writeZeroes(0, 8, results.done, { fast: true });
  t.strictSame(results.told, [-errno.EOPNOTSUPP]);
  t.strictSame(disks.log, []);
});

t.test('of a driver that has one call for block status, the quick one is that', async (t) => {
  const { registry } = bench(t, { types: [ramDriverType] });
  registry.attach(0);
  await registry.open(0, 'ram:1', READ_WRITE);
  const extents: unknown[] = [];
  registry.get(0)?.blockStatus(0, 8, (_, found) => extents.push(found), { fast: true });
  t.strictSame(extents, [[{ sectors: 8, allocated: false, zero: true }]]);
  await registry.close(0);
});
