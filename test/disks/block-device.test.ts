// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  type DiskDriverType,
  type Done,
  ESHUTDOWN,
  type RangeRequest,
  type Vbd,
} from '../../src/disks/index.js';
import { errno } from '../../src/posix/index.js';
import { bench, type Bench, Results } from './bench.js';

const told = (call: (done: Done) => void): Promise<number> => new Promise(call);

/** A disk of four sectors in memory, which calls are answered from at once, with the bytes that it has. */
function memory({ disks, opened }: Bench, readOnly = false): { vbd: Vbd; bytes: Buffer } {
  disks.sectors = 4;
  const bytes = Buffer.from(Array.from({ length: 2048 }, (_, at) => (at % 251) + 1));
  const vbd = opened({ readOnly });
  disks.answerAtOnce = (what) => {
    if (what !== 'read' && what !== 'write') return 0;
    return undefined;
  };
  return { vbd, bytes };
}

/** Answers all calls of a disk from its bytes. */
function serve({ disks }: Bench, bytes: Buffer): void {
  for (let call = disks.calls.shift(); call; call = disks.calls.shift()) {
    const at = call.sector * 512;
    if (call.what === 'read') call.buffer?.set(bytes.subarray(at, at + call.sectors * 512));
    else if (call.buffer) bytes.set(call.buffer.subarray(0, call.sectors * 512), at);
    call.answer(0);
  }
}

const PLACES: readonly (readonly [offset: number, length: number])[] = [
  0, 1, 511, 512, 513, 1023, 1024, 1500,
].flatMap((offset) =>
  [1, 2, 511, 512, 513, 1023, 1024, 1025, 1536]
    .filter((length) => offset + length <= 2048)
    .map((length) => [offset, length] as const),
);

t.test('any bytes of a disk can be read, written and zeroed, and no others change', async (t) => {
  const world = bench(t);
  const { vbd, bytes } = memory(world);
  for (const [offset, length] of PLACES) {
    const where = `${length} at ${offset}`;
    const found = Buffer.alloc(length);
    const results = new Results();
    vbd.readBytes(offset, found, results.done);
    serve(world, bytes);
    t.ok(found.equals(bytes.subarray(offset, offset + length)), `read ${where}`);
    const expected = Buffer.from(bytes);
    expected.fill(0xee, offset, offset + length);
    vbd.writeBytes(offset, Buffer.alloc(length, 0xee), results.done);
    serve(world, bytes);
    t.ok(bytes.equals(expected), `write ${where}`);
    expected.fill(0, offset, offset + length);
    vbd.zeroBytes(offset, length, results.done);
    serve(world, bytes);
    t.ok(bytes.equals(expected), `zero ${where}`);
    for (let at = 0; at < 2048; at++) bytes[at] = (at % 251) + 1;
    t.same(await results.settled(), [0, 0, 0]);
  }
});

t.test('sectors that are written whole are not read before', async (t) => {
  const world = bench(t);
  const { vbd, bytes } = memory(world);
  const { disks } = world;
  const calls = (change: (done: Done) => void): readonly string[] => {
    disks.log.length = 0;
    change(() => {});
    serve(world, bytes);
    return [...disks.log];
  };
  t.same(
    calls((done) => vbd.writeBytes(512, Buffer.alloc(1024), done)),
    ['write 1+2'],
  );
  t.same(
    calls((done) => vbd.writeBytes(500, Buffer.alloc(1048), done)),
    ['read 0+1', 'read 3+1', 'write 1+2', 'write 0+1', 'write 3+1'],
  );
  t.same(
    calls((done) => vbd.writeBytes(10, Buffer.alloc(502), done)),
    ['read 0+1', 'write 0+1'],
  );
  t.same(
    calls((done) => vbd.writeBytes(512, Buffer.alloc(10), done)),
    ['read 1+1', 'write 1+1'],
  );
  t.same(
    calls((done) => vbd.readBytes(1000, Buffer.alloc(1000), done)),
    ['read 1+1', 'read 3+1', 'read 2+1'],
  );
});

t.test('a part of a sector that cannot be read is not written', async (t) => {
  const world = bench(t);
  const { vbd } = memory(world);
  const { disks } = world;
  const results = new Results();
  vbd.writeBytes(500, Buffer.alloc(600), results.done);
  disks.answer('read', -errno.EIO);
  disks.answer('read');
  disks.answer('write');
  disks.answer('write', -errno.ENOSPC);
  t.same(await results.settled(), [-errno.EIO], 'the first error is the result, once all have ended');
  t.same(disks.log, ['read 0+1', 'read 2+1', 'write 1+1', 'write 2+1']);
  vbd.readBytes(1, Buffer.alloc(5), results.done);
  disks.answer('read', -errno.EACCES);
  vbd.writeBytes(1, Buffer.alloc(5), results.done);
  disks.answer('read');
  disks.answer('write', -errno.ENOSPC);
  vbd.writeBytes(1, Buffer.alloc(5), results.done);
  t.equal(disks.calls.length, 1, 'the sector is free for the next change');
  t.same((await results.settled()).slice(1), [-errno.EACCES, -errno.ENOSPC]);
});

t.test('bytes outside of the disk are refused', async (t) => {
  const world = bench(t, { canDiscard: true, canZero: true });
  const { vbd } = memory(world);
  const outside: readonly (readonly [offset: number, length: number])[] = [
    [-1, 1],
    [-512, 512],
    [0, 0],
    [5, 0],
    [2047, 2],
    [2048, 1],
    [1, 2048],
    [0.5, 1],
    [2 ** 53, 1],
    [2 ** 53 - 1, 5],
  ];
  for (const [offset, length] of outside) {
    const where = `${length} at ${offset}`;
    t.equal(await told((done) => vbd.readBytes(offset, Buffer.alloc(length), done)), -errno.EINVAL, where);
    t.equal(await told((done) => vbd.writeBytes(offset, Buffer.alloc(length), done)), -errno.EINVAL, where);
    t.equal(await told((done) => vbd.discardBytes(offset, length, done)), -errno.EINVAL, where);
    t.equal(await told((done) => vbd.zeroBytes(offset, length, done)), -errno.EINVAL, where);
  }
  t.same(world.disks.log, []);
});

t.test('of bytes that are given up only whole sectors are', async (t) => {
  const world = bench(t, { canDiscard: true });
  const { vbd } = memory(world);
  const { log } = world.disks;
  for (const [offset, length, expected] of [
    [0, 511, []],
    [1, 511, []],
    [1, 1022, []],
    [0, 512, ['discard 0+1']],
    [1, 1023, ['discard 1+1']],
    [511, 1026, ['discard 1+2']],
    [512, 1535, ['discard 1+2']],
    [0, 2048, ['discard 0+4']],
  ] as const) {
    log.length = 0;
    t.equal(await told((done) => vbd.discardBytes(offset, length, done)), 0);
    t.same(log, expected, `${length} at ${offset}`);
  }
});

t.test('zeroes of parts of sectors are never fast', async (t) => {
  const world = bench(t);
  const { vbd } = memory(world);
  for (const [offset, length] of [
    [1, 512],
    [0, 1],
    [0, 513],
  ] as const)
    t.equal(await told((done) => vbd.zeroBytes(offset, length, done, { fast: true })), -errno.EOPNOTSUPP);
  t.same(world.disks.log, []);
});

t.test('a disk that is closed or read-only says so, before a wrong range does', async (t) => {
  const world = bench(t, { canDiscard: true });
  const { vbd } = memory(world, true);
  const buffer = Buffer.alloc(512);
  t.equal(await told((done) => vbd.writeBytes(0, buffer, done)), -errno.EROFS);
  t.equal(await told((done) => vbd.zeroBytes(0, 512, done)), -errno.EROFS);
  t.equal(await told((done) => vbd.discardBytes(0, 512, done)), -errno.EROFS);
  t.equal(await told((done) => vbd.queueWrite(4, buffer, done)), -errno.EINVAL);
  await vbd.close();
  t.equal(await told((done) => vbd.queueRead(0, buffer, done)), -ESHUTDOWN);
  t.equal(await told((done) => vbd.queueRead(9, buffer, done)), -ESHUTDOWN);
  t.equal(await told((done) => vbd.discardBytes(1, 512, done)), -ESHUTDOWN, 'though no sector is whole');
});

t.test('sectors outside of the disk are refused, and those at its end are not', async (t) => {
  const world = bench(t, { canDiscard: true, canZero: true });
  const { vbd } = memory(world);
  world.disks.answerAtOnce = () => 0;
  for (const [sector, sectors, expected] of [
    [0, 4, 0],
    [3, 1, 0],
    [3, 2, -errno.EINVAL],
    [4, 1, -errno.EINVAL],
    [-1, 1, -errno.EINVAL],
    [0.5, 1, -errno.EINVAL],
    [0, 0, -errno.EINVAL],
    [0, -1, -errno.EINVAL],
    [0, 1.5, -errno.EINVAL],
    [2 ** 60, 1, -errno.EINVAL],
    [0, Number.NaN, -errno.EINVAL],
  ] as const) {
    const where = `${sectors} at ${sector}`;
    t.equal(await told((done) => vbd.discard(sector, sectors, done)), expected, where);
    t.equal(await told((done) => vbd.writeZeroes(sector, sectors, done)), expected, where);
    t.equal(
      await told((done) => vbd.blockStatus(sector, sectors, (result) => done(result))),
      expected,
      where,
    );
  }
  t.equal(await told((done) => vbd.queueRead(0, Buffer.alloc(100), done)), -errno.EINVAL, 'no whole sector');
});

t.test('a change waits for a part of one of its sectors, and a read does not', async (t) => {
  const world = bench(t, { canDiscard: true });
  const { vbd } = memory(world);
  const { disks } = world;
  const results = new Results();
  vbd.writeBytes(520, Buffer.alloc(10), results.done);
  vbd.queueWrite(0, Buffer.alloc(1024), results.done);
  vbd.queueWrite(2, Buffer.alloc(512), results.done);
  vbd.queueWrite(0, Buffer.alloc(512), results.done);
  vbd.queueRead(1, Buffer.alloc(512), results.done);
  let status: unknown;
  vbd.blockStatus(1, 1, (_, extents) => (status = extents));
  t.same(status, [{ sectors: 1, allocated: true, zero: false }], 'nor does block status');
  vbd.writeBytes(515, Buffer.alloc(2), results.done);
  // What comes after a change that waits, and changes sectors whole as that does, passes it here: drivers keep the order.
  t.same(disks.log, ['read 1+1', 'write 2+1', 'write 0+1', 'read 1+1']);
  disks.answer('read');
  disks.answer('write');
  disks.answer('write');
  disks.answer('read');
  t.same(disks.log.slice(4), ['write 1+1']);
  disks.answer('write');
  t.same(disks.log.slice(5), ['write 0+2']);
  disks.answer('write');
  t.same(disks.log.slice(6), ['read 1+1'], 'and the next part for that change');
});

t.test('block status is what the driver knows at once only where that is asked for', async (t) => {
  const found = (zero: boolean) => [{ sectors: 8, allocated: !zero, zero }];
  const type: DiskDriverType = {
    name: 'holes',
    create: () => ({
      open: (_flags, done) => done(0),
      info: () => ({ sectors: 8, sectorSize: 512, info: 0 }),
      close: (done) => done(0),
      queueRead: (request) => request.complete(0),
      queueWrite: (request) => request.complete(0),
      flush: (done) => done(0),
      blockStatus: (_range, done) => done(0, found(true)),
      blockStatusFast: (_range, done) => done(0, found(false)),
    }),
  };
  const { registry } = bench(t, { types: [type] });
  registry.attach(0);
  await registry.open(0, 'holes:', { readOnly: false, shared: false });
  const vbd = registry.get(0)!;
  const extents: unknown[] = [];
  vbd.blockStatus(0, 8, (_, parts) => extents.push(parts));
  vbd.blockStatus(0, 8, (_, parts) => extents.push(parts), {});
  vbd.blockStatus(0, 8, (_, parts) => extents.push(parts), { fast: true });
  t.same(extents, [found(true), found(true), found(false)]);
});

t.test('a last sector that is not whole belongs to the disk as far as it goes', async (t) => {
  const log: string[] = [];
  const asked = (what: string, request: RangeRequest): void => {
    log.push(`${what} ${request.sector}+${request.sectors}`);
    request.complete(0);
  };
  const type: DiskDriverType = {
    name: 'odd',
    create: () => ({
      open: (_flags, done) => done(0),
      info: () => ({ sectors: 3, sectorSize: 512, bytes: 1300, info: 0 }),
      close: (done) => done(0),
      queueRead: (request) => asked('read', request),
      queueWrite: (request) => asked('write', request),
      discard: (request) => asked('discard', request),
      writeZeroes: (request) => asked('zero', request),
      flush: (done) => done(0),
    }),
  };
  const { registry } = bench(t, { types: [type] });
  registry.attach(0);
  await registry.open(0, 'odd:', { readOnly: false, shared: false });
  const vbd = registry.get(0)!;
  t.equal(vbd.sizeBytes, 1300);
  const after = async (call: (done: Done) => void): Promise<unknown[]> => [
    await told(call),
    ...log.splice(0),
  ];
  for (const [offset, length, discarded, zeroed] of [
    [0, 1300, [0, 'discard 0+3'], [0, 'zero 0+3']],
    [1024, 276, [0, 'discard 2+1'], [0, 'zero 2+1']],
    [0, 1299, [0, 'discard 0+2'], [0, 'read 2+1', 'write 2+1', 'zero 0+2']],
    [1025, 275, [0], [0, 'read 2+1', 'write 2+1']],
    [1024, 277, [-errno.EINVAL], [-errno.EINVAL]],
    [1300, 1, [-errno.EINVAL], [-errno.EINVAL]],
  ] as const) {
    const where = `${length} at ${offset}`;
    t.same(await after((done) => vbd.discardBytes(offset, length, done)), discarded, where);
    t.same(await after((done) => vbd.zeroBytes(offset, length, done)), zeroed, where);
  }
  const fast = (length: number): Promise<unknown[]> =>
    after((done) => vbd.zeroBytes(1024, length, done, { fast: true }));
  t.same(await fast(275), [-errno.EOPNOTSUPP]);
  t.same(await after((done) => vbd.writeBytes(1024, Buffer.alloc(276), done)), [0, 'read 2+1', 'write 2+1']);
  t.same(await after((done) => vbd.readBytes(1000, Buffer.alloc(300), done)), [0, 'read 1+1', 'read 2+1']);
  t.same(await after((done) => vbd.readBytes(1024, Buffer.alloc(277), done)), [-errno.EINVAL]);
});
