// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { Driver, RangeRequest } from '../../../src/disks/index.js';
import { identifyImage, RemusDisk } from '../../../src/disks/drivers/remus-disk.js';
import { errno } from '../../../src/posix/index.js';

/** A disk over a driver whose calls wait until the test ends them. */
function world(more: Partial<Driver> = {}) {
  const log: string[] = [];
  const ends: ((result: number) => void)[] = [];
  const results: number[] = [];
  const asked = (what: string, end: (result: number) => void): void => {
    log.push(what);
    ends.push(end);
  };
  const request = (what: string, it: RangeRequest): void =>
    asked(`${what} ${it.sector}+${it.sectors}`, (result) => it.complete(result));
  const below: Driver = {
    open: (_, done) => done(0),
    info: () => ({ sectors: 50_000, sectorSize: 512, info: 0 }),
    close: (done) => done(0),
    queueRead: (it) => request('read', it),
    queueWrite: (it) => request('write', it),
    flush: (done) => asked('flush', done),
    ...more,
  };
  const disk = new RemusDisk(below, (task) => task());
  const done = (result: number): void => void results.push(result);
  return { asked, below, disk, done, end: (result = 0) => ends.shift()?.(result), log, results };
}

t.test('zeroes of 8 MiB may be a hole, and fewer stay allocated', async (t) => {
  const log: string[] = [];
  const { disk, done, results } = world({
    writeZeroes: (it) => {
      log.push(`${it.sector}+${it.sectors}${it.noHole ? ' allocated' : ''}`);
      it.complete(0);
    },
  });
  disk.zero(8, 16_383, done);
  disk.zero(8, 16_384, done);
  t.same(log, ['8+16383 allocated', '8+16384']);
  t.same(results, [0, 0]);
});

t.test('where a driver cannot zero, zeroes are written', async (t) => {
  const { disk, done, end, log, results } = world();
  disk.zero(100, 2049, done);
  end();
  end();
  t.same([log, results], [['write 100+2048', 'write 2148+1'], [0]]);
});

t.test('changes of the same sectors keep their order, and reads do not wait', async (t) => {
  const { disk, done, end, log, results } = world();
  t.equal(disk.sectors, 50_000);
  disk.write(0, new Uint8Array(1024), done);
  disk.write(1, new Uint8Array(512), done);
  disk.zero(1, 1, done);
  disk.read(1, new Uint8Array(512), done);
  t.same(log, ['write 0+2', 'read 1+1']);
  end(-errno.EIO);
  t.same(log.slice(2), ['write 1+1']);
  end();
  end();
  t.same(log.slice(3), ['write 1+1'], 'the zeroes');
  end();
  t.same(results, [-errno.EIO, 0, 0, 0]);
});

t.test(
  'a driver that has nothing to settle has settled, and one that is no file has no identity',
  async (t) => {
    const { asked, disk, done, end, log, results } = world();
    disk.settle(done);
    t.same(results, [0]);
    disk.flush(done);
    end(-errno.ENOSPC);
    t.same(results.splice(0), [0, -errno.ENOSPC]);
    const settling = world({ settle: (ended) => asked('settle', ended) });
    settling.disk.settle(done);
    end(-errno.EIO);
    t.same([log, results], [['flush', 'settle'], [-errno.EIO]]);
    const image = { path: '/a', fileSystem: 1, inode: 2, modifiedMicroseconds: 3 };
    const found: unknown[] = [];
    const identified = (...outcome: unknown[]): void => void found.push(outcome);
    disk.identify(identified);
    for (const [result, identity] of [
      [0, image],
      [-errno.EOPNOTSUPP, undefined],
      [-errno.EIO, undefined],
    ] as const)
      identifyImage(world({ identify: (answer) => answer(result, identity) }).below, identified);
    t.same(found, [[0], [0, image], [0, undefined], [-errno.EIO, undefined]]);
  },
);

t.test('what is known of its extents is what the driver knows without a read', async (t) => {
  const said: unknown[] = [];
  const told = (...answer: unknown[]): void => void said.push(answer);
  const { disk, log } = world();
  disk.extents(8, 100, told);
  t.same(said.splice(0), [[0]], 'nothing');
  const found = [{ sectors: 60, allocated: false, zero: true }];
  const known = world({
    blockStatus: ({ sector, sectors }, done) => {
      known.log.push(`status ${sector}+${sectors}`);
      done(0, found);
    },
  });
  known.disk.extents(8, 100, told);
  t.same([said, known.log, log], [[[0, found]], ['status 8+100'], []]);
});
