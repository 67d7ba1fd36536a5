// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { driverTypes } from '../../../src/disks/drivers/index.js';
import {
  type BlockStatusDone,
  type BlockStatusExtent,
  SECTOR_SIZE,
  type Vbd,
  VbdRegistry,
} from '../../../src/disks/index.js';
import { errno } from '../../../src/posix/errno.js';
import { type CrashKind, Random, simulatedAioType, SimulatedWorld } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';
import { FileWorld, O_RDONLY, O_WRONLY } from './fixture.js';
import { SectorModel } from './sector-model.js';

const SECTORS = 4096 + 64;
const IMAGE = '/srv/disk.img';
const ROUNDS = 6;
const SEEDS = 6;

/** Opens the image on the running process of a host. */
async function openDisk(world: FileWorld): Promise<Vbd> {
  const { host } = world;
  const registry = new VbdRegistry({
    registrar: host.serve(),
    posix: host.posix,
    logger: host.logger,
    types: driverTypes([simulatedAioType(host.files)]),
  });
  registry.attach(0);
  const vbd = registry.get(0) as Vbd;
  await world.world.complete(vbd.open(`aio:${IMAGE}`, { readOnly: false, shared: false }));
  return vbd;
}

/** Random requests on a disk, of which the model is told. */
function stir(vbd: Vbd, model: SectorModel, random: Random): void {
  const count = random.pick([1, 1, 4, 64, 2500]);
  const sector = random.integer(0, SECTORS - count);
  const kind = random.pick(['write', 'write', 'write', 'zeroes', 'flush', 'discard'] as const);
  switch (kind) {
    case 'flush': {
      const flushed = model.flush();
      vbd.flush((result) => result === 0 && flushed());
      break;
    }
    case 'write': {
      const tag = model.nextTag();
      const word = Buffer.alloc(4);
      word.writeUInt32LE(tag);
      const bytes = Buffer.alloc(count * SECTOR_SIZE, word);
      const written = model.write(sector, count, tag);
      vbd.queueWrite(sector, bytes, (result) => result === 0 && written());
      break;
    }
    case 'zeroes': {
      const written = model.write(sector, count, 0);
      vbd.writeZeroes(sector, count, (result) => result === 0 && written());
      break;
    }
    case 'discard': {
      model.discard(sector, count);
      vbd.discard(sector, count, () => {});
      break;
    }
  }
}

t.test('flushed data survives every crash, written data that of the process', async (t) => {
  const first = randomSeed(t);
  for (let seed = first; seed < first + SEEDS; seed++) {
    const world = new FileWorld({ seed, traceLines: 0, shortTransfers: 0.1 });
    const { host } = world;
    const random = new Random(seed);
    world.files.put(IMAGE, new Uint8Array(SECTORS * SECTOR_SIZE));
    const model = new SectorModel(SECTORS);
    for (let round = 0; round < ROUNDS; round++) {
      const vbd = await openDisk(world);
      for (let burst = 0; burst < 8; burst++) {
        for (let requests = random.integer(1, 12); requests > 0; requests--) stir(vbd, model, random);
        await world.world.run(random.between(0, 0.004));
      }
      const kind: CrashKind = random.pick(['silence', 'silence', 'reset', 'end of file']);
      host.crash(kind);
      const wrong = model.settle(world.files.contents(IMAGE), kind !== 'silence');
      if (wrong.length > 0) {
        t.fail(`TEST_SEED=${seed}, round ${round}, ${kind}: ${wrong.slice(0, 5).join('; ')}`);
        return;
      }
      host.restart();
    }
  }
  t.pass(`${SEEDS} seeds`);
});

t.test('a driver without syncs is detected', async (t) => {
  let found = false;
  for (let seed = 1; seed <= 20 && !found; seed++) {
    const world = new FileWorld({ seed, traceLines: 0 });
    world.files.put(IMAGE, new Uint8Array(SECTORS * SECTOR_SIZE));
    const { files } = world;
    // Its syncs tell of success and do nothing: for that they take place where there is nothing to sync.
    files.system.sync = () => {};
    const model = new SectorModel(SECTORS);
    const vbd = await openDisk(world);
    const random = new Random(seed);
    for (let request = 0; request < 30; request++) {
      stir(vbd, model, random);
      await world.world.run(0.01);
    }
    world.host.crash('silence');
    found = model.settle(files.contents(IMAGE), false).length > 0;
  }
  t.ok(found);
});

t.test('a second writer of the same host is refused', async (t) => {
  const world = new FileWorld();
  world.files.put(IMAGE, new Uint8Array(SECTOR_SIZE));
  await openDisk(world);
  const fd = await world.open(IMAGE);
  t.equal(await world.fails((calls, done) => calls.flock(fd, false, done)), 'EBUSY');
  await t.rejects(openDisk(world), { code: 'EBUSY' });
});

t.test('the holes of an image are shown, and what is written is no longer one', async (t) => {
  const world = new FileWorld();
  const image = new Uint8Array(32 * SECTOR_SIZE);
  image[9 * SECTOR_SIZE] = 1;
  const zeroes = async (): Promise<string> => {
    const status = (done: BlockStatusDone): void => vbd.blockStatus(0, 32, done);
    const extents = await world.world.complete(
      new Promise<readonly BlockStatusExtent[]>((resolve) => status((_, found = []) => resolve(found))),
    );
    return extents.map(({ sectors, zero }) => `${zero ? 'hole' : 'data'} ${sectors}`).join(', ');
  };
  world.files.put(IMAGE, image);
  let vbd = await openDisk(world);
  t.equal(await zeroes(), 'data 32');
  await world.world.complete(vbd.close());
  world.files.put(IMAGE, image, { sparse: true });
  vbd = await openDisk(world);
  t.equal(await zeroes(), 'hole 8, data 8, hole 16');
  await world.world.complete(
    new Promise((resolve) => vbd.queueWrite(24, new Uint8Array(SECTOR_SIZE), resolve)),
  );
  t.equal(await zeroes(), 'hole 8, data 8, hole 8, data 1, hole 7');
});

t.test('what cannot show its holes has a reason', async (t) => {
  const world = new FileWorld();
  world.files.put(IMAGE, new Uint8Array(SECTOR_SIZE));
  const ask = (fd: number): Promise<unknown> =>
    world.world.complete(new Promise((resolve) => world.calls.holes(fd, resolve)));
  t.same(await ask(await world.open(IMAGE)), [{ start: 4096, end: Number.POSITIVE_INFINITY }]);
  t.equal(await ask(await world.open(IMAGE, O_WRONLY)), 'EBADF');
  t.equal(await ask(99), 'EBADF');
  t.equal(await ask(await world.open('/', O_RDONLY)), 'ENOTSUP');
  world.files.failCalls({ calls: ['holes'], error: errno.EIO });
  t.equal(await ask(await world.open(IMAGE)), 'EIO');
});

t.test('an image that cannot be read or written is reported', async (t) => {
  const world = new FileWorld();
  world.files.put(IMAGE, new Uint8Array(8 * SECTOR_SIZE));
  const vbd = await openDisk(world);
  const told = (call: (done: (result: number) => void) => void): Promise<number> =>
    world.world.complete(new Promise<number>(call));
  world.files.spoil(IMAGE, 1024, 1);
  t.equal(await told((done) => vbd.queueRead(0, new Uint8Array(2048), done)), -errno.EIO);
  t.equal(await told((done) => vbd.queueRead(0, new Uint8Array(1024), done)), 0);
  world.files.system.capacityBytes = 0;
  t.equal(
    await told((done) => vbd.queueWrite(2, new Uint8Array(512), done)),
    0,
    'the space is taken already',
  );
  t.equal(
    await told((done) => vbd.queueRead(0, new Uint8Array(2048), done)),
    0,
    'what is written can be read',
  );
});

t.test('a file left open is reported as left', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1');
  host.files.put(IMAGE, new Uint8Array(SECTOR_SIZE));
  const calls = host.files.calls();
  const opened = new Promise<number>((resolve) => {
    calls.open(IMAGE, 0, resolve);
  });
  await world.complete(opened);
  t.same(await world.shutDown(), ['10.0.0.1: file 3: /srv/disk.img']);
});
