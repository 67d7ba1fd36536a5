// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomFillSync } from 'node:crypto';
import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { errno, NodeFileCalls, type Posix } from '../../../src/posix/index.js';
import { driverTypes, standardDriverTypes } from '../../../src/disks/drivers/index.js';
import { createRemusType, RemusDriver } from '../../../src/disks/drivers/remus.js';
import { parseRemusArgument } from '../../../src/disks/drivers/remus-options.js';
import type { BlockStatusDone, Driver, DriverContext, Vbd } from '../../../src/disks/index.js';
import { dispatch } from '../../../src/cli/dispatch.js';
import { captured } from '../../cli/captured-io.js';
import { hasPrograms, skipped } from '../../programs.js';
import { diskWorld } from './disk-world.js';
import { freePort, imageOf, readFrom, replicationOf, untilStatus, written } from './remus-world.js';

/** ext4's largest file is 16 TiB. */
const SPARSE_BYTES = 6 * 2 ** 40;

t.test('the options of a name', async (t) => {
  t.same(parseRemusArgument('10.0.0.2:9000'), { address: '10.0.0.2:9000' });
  t.same(
    parseRemusArgument(
      'b.example:9,role=backup,interval=25ms,journal=64M,directory=/x=y,commit-on-flush=require',
    ),
    {
      address: 'b.example:9',
      role: 'backup',
      checkpointIntervalSeconds: 0.025,
      journalBytes: 64 << 20,
      directory: '/x=y',
      commitOnFlush: 'require',
    },
  );
  t.match(parseRemusArgument('10.0.0.2'), 'expected remus:HOST:PORT');
  t.match(parseRemusArgument('10.0.0.2:0'), 'port from 1 to 65535');
  t.match(parseRemusArgument('a:1,speed=2'), 'unknown option "speed": expected one of role, peer');
  t.match(parseRemusArgument('a:1,interval=1ms'), 'interval="1ms" cannot be: expected a time from 0.025 s');
  t.match(parseRemusArgument('a:1,journal=1K'), 'expected a size from 4194304');
  t.match(parseRemusArgument('a:1,role=both'), 'expected auto, primary, backup');
  t.match(parseRemusArgument('a:1,directory=x'), 'an absolute path');
  const tls = 'tls-cert=/c,tls-key=/k';
  t.same(parseRemusArgument(`a:1,${tls},tls-ca=/a`), {
    address: 'a:1',
    tls: { cert: '/c', key: '/k', ca: '/a' },
  });
  t.match(parseRemusArgument('a:1,tls-cert=/c'), 'both tls-cert and tls-key');
  t.match(parseRemusArgument(`a:1,${tls}`), 'tls-ca or tls-fingerprint');
  t.match(parseRemusArgument(`a:1,peer=c,${tls},tls-ca=/a`), 'mutually exclusive');
  t.match(parseRemusArgument(`a:1,${tls},tls-fingerprint=12`), 'a SHA-256 fingerprint');
  t.match(parseRemusArgument('a:1,fifos=x'), 'an absolute path of a directory, or no');
  t.same(parseRemusArgument('a:1,fifo-mode=c,fifos=no'), { address: 'a:1', fifoMode: 'c', fifos: 'no' });
});

t.test('two images, a primary and its backup, over real sockets and files', async (t) => {
  const world = diskWorld(t);
  const address = `127.0.0.1:${freePort()}`;
  const backup = await world.open(`remus:${address},role=backup,journal=4M|aio:${imageOf(world, 'b')}`);
  const primary = await world.open(
    `remus:${address},role=primary,interval=0|log:|aio:${imageOf(world, 'a')}`,
  );
  const replication = replicationOf(world, 1);
  await untilStatus(replication, ({ state }) => state === 'protected');
  t.equal(await written(primary, 8, 7), 0);
  t.ok((await new Promise<number>((resolve) => replication.checkpoint(resolve))) > 0);
  t.ok((await readFrom(backup, 8)).equals(Buffer.alloc(4096, 7)));
  t.equal(await written(backup, 8, 1), -errno.EROFS, 'a backup takes no writes');
  t.match(backup.describe(), 'backup');
});

t.test('what is zeroed or discarded is zero on both sides, and a flush syncs the image', async (t) => {
  const world = diskWorld(t);
  const address = `127.0.0.1:${freePort()}`;
  const backup = await world.open(`remus:${address},role=backup,journal=4M|aio:${imageOf(world, 'b')}`);
  const primary = await world.open(`remus:${address},role=primary|aio:${imageOf(world, 'a')}`);
  const replication = replicationOf(world, 1);
  await untilStatus(replication, ({ state }) => state === 'protected');
  for (const sector of [8, 16, 24]) t.equal(await written(primary, sector, 7), 0);
  t.equal(await new Promise((resolve) => primary.writeZeroes(8, 8, resolve)), 0);
  t.equal(await new Promise((resolve) => primary.discard(16, 8, resolve)), 0);
  t.equal(await new Promise((resolve) => primary.flush(resolve)), 0);
  t.ok((await new Promise<number>((resolve) => replication.checkpoint(resolve))) > 0);
  for (const vbd of [primary, backup]) {
    const first = await Promise.all([8, 16, 24].map(async (sector) => (await readFrom(vbd, sector))[0]));
    t.same(first, [0, 0, 7]);
  }
  await t.rejects(primary.resize(), { message: /both copies have to have the same size/ });
});

t.test('a primary shows the holes of its image, and a backup none', async (t) => {
  const world = diskWorld(t);
  const address = `127.0.0.1:${freePort()}`;
  const replicated = async (role: string): Promise<Vbd> => {
    const directory = world.path(role);
    mkdirSync(directory, { mode: 0o700 });
    return world.open(`remus:${address},role=${role},journal=4M,fifos=no,directory=${directory}|ram:4`);
  };
  const backup = await replicated('backup');
  const primary = await replicated('primary');
  const replication = replicationOf(world, 1);
  await untilStatus(replication, ({ state }) => state === 'protected');
  t.equal(await written(primary, 2048, 7), 0);
  t.ok((await new Promise<number>((resolve) => replication.checkpoint(resolve))) > 0);
  const extents = (vbd: Vbd, fast: boolean): Promise<unknown> =>
    new Promise((resolve) =>
      vbd.blockStatus(0, 8192, (result, found) => resolve(result < 0 ? result : found), { fast }),
    );
  for (const fast of [false, true]) {
    t.same(await extents(primary, fast), [
      { sectors: 2048, allocated: false, zero: true },
      { sectors: 2048, allocated: true, zero: false },
      { sectors: 4096, allocated: false, zero: true },
    ]);
    t.same(await extents(backup, fast), [{ sectors: 8192, allocated: true, zero: false }]);
  }
  t.equal(primary.info.copiesData, false, 'unlike memory, it keeps buffers for a while');
});

t.test('a backup opens without reading the holes of its image', async (t) => {
  if (!hasPrograms(t, 'filefrag', 'perl')) return;
  const world = diskWorld(t);
  const path = world.path('sparse');
  writeFileSync(path, '', { mode: 0o600 });
  try {
    truncateSync(path, SPARSE_BYTES);
  } catch (error) {
    skipped(t, `no file of this size: ${(error as Error).message}`);
    return;
  }
  const vbd = await world.open(`remus:127.0.0.1:${freePort()},role=backup,journal=4M|aio:${path}`);
  t.match(vbd.describe(), 'inconsistent backup');
  // To read it would take longer than a test may.
  t.equal(vbd.info.sectors, SPARSE_BYTES / 512);
});

t.test('a replicated VHD closes, opens again, and is the same disk', async (t) => {
  const world = diskWorld(t);
  const image = world.path('a.vhd');
  t.match(await captured(dispatch, ['vhd', 'create', image, '16M']), { exitCode: 0 });
  const name = `remus:127.0.0.1:${freePort()},role=primary,fifos=no|log:|vhd:${image}`;
  const first = await world.open(name);
  t.equal(await written(first, 8, 7), 0);
  const { generation } = replicationOf(world, 0).status();
  const driver = RemusDriver.among(first.drivers);
  t.ok(driver?.replication);
  await first.close();
  t.equal(driver?.replication, undefined);
  const again = await world.open(name);
  t.equal(replicationOf(world, 1).status().generation, generation);
  t.ok((await readFrom(again, 8)).equals(Buffer.alloc(4096, 7)));
  await again.close();
  appendFileSync(image, Buffer.alloc(512));
  t.equal(await world.tryOpen(name), -errno.ESTALE, 'another program has changed it');
});

t.test('a disk that cannot be replicated is refused with a reason', async (t) => {
  const world = diskWorld(t);
  const path = imageOf(world, 'a');
  t.equal(await world.tryOpen('remus:nowhere|ram:1'), -errno.EINVAL);
  t.equal(await world.tryOpen(`remus:127.0.0.1:9|aio:${path}`, { readOnly: true }), -errno.EINVAL);
  t.equal(await world.tryOpen(`remus:127.0.0.1:9|aio:${path}`, { shared: true }), -errno.EINVAL);
  await t.rejects(
    world.open('remus:127.0.0.1:9|ram:1'),
    { errno: -errno.EINVAL, message: 'not a file: expected directory=PATH' },
    'memory has no place for the journal',
  );
});

/** Replicated disks whose FIFOs cannot be opened, and those that were asked for. */
function worldWithoutFifos(t: Test) {
  const asked: string[] = [];
  const type = createRemusType({
    files: ({ completions }) => new NodeFileCalls(completions),
    random: (bytes) => randomFillSync(bytes),
    openFifo: () => (path, end, mode, done) => {
      asked.push(`${end} ${path} ${mode.toString(8)}`);
      done(-errno.EACCES);
    },
  });
  const world = diskWorld(t, { types: driverTypes([...standardDriverTypes.values(), type]) });
  const image = imageOf(world, 'a');
  const open = (options: string): Promise<number> =>
    world.tryOpen(`remus:127.0.0.1:9,role=primary,${options}|aio:${image}`);
  return { asked, open, world };
}

t.test('FIFOs that were asked for must be there, in the mode that was asked for', async (t) => {
  const { asked, open, world } = worldWithoutFifos(t);
  const fifos = world.path('fifos');
  t.equal(await open(`fifos=${fifos}`), -errno.EACCES);
  t.equal(await open(`fifos=${fifos},fifo-mode=private`), -errno.EACCES);
  t.equal(await open(`fifos=${fifos},fifo-mode=c`), -errno.EACCES);
  const path = `${fifos}/remus_127.0.0.1_9`;
  t.same(asked.splice(0), [`read ${path} 600`, `read ${path} 600`, `read ${path} 777`]);
  t.match(world.lines.at(-1), `cannot open ${path}: EACCES`);
  t.notMatch(world.lines.join('\n'), /undefined/, 'closing went well');
  t.equal(await open('fifos=no'), 0, 'and the disk was let go of');
  t.same(asked, []);
});

t.test('what was not written as a disk without its FIFOs was closed again is logged', async (t) => {
  let isLost = false;
  const type = createRemusType({
    files: ({ completions }) => {
      const files = new NodeFileCalls(completions);
      const write = files.write.bind(files);
      files.write = (fd, bytes, position, done) =>
        isLost ? done(-errno.EIO) : write(fd, bytes, position, done);
      return files;
    },
    random: (bytes) => randomFillSync(bytes),
    openFifo: () => (_path, _end, _mode, done) => {
      isLost = true;
      done(-errno.EACCES);
    },
  });
  const world = diskWorld(t, { types: driverTypes([...standardDriverTypes.values(), type]) });
  const name = `remus:127.0.0.1:9,role=primary,fifos=${world.path('fifos')}|aio:${imageOf(world, 'a')}`;
  t.equal(await world.tryOpen(name), -errno.EACCES, 'which is not why it was closed');
  t.equal(world.lines.filter((line) => line === 'replication: cannot write the metadata: EIO').length, 1);
});

t.test('without the usual FIFOs a disk opens with a warning, unless its peer is a C driver', async (t) => {
  const { open, world } = worldWithoutFifos(t);
  t.equal(await open('peer=c'), -errno.EACCES);
  const warning = /^replication: no FIFOs for checkpoint control: cannot \w+ \/var\/run\/tap/;
  t.notOk(world.lines.some((line) => warning.test(line)));
  t.equal(await open('peer=auto'), 0);
  t.ok(world.lines.some((line) => warning.test(line)));
});

t.test(
  'a disk that is not open reports neither a state nor holes that it was asked for before',
  async (t) => {
    const world = diskWorld(t);
    const name = `remus:127.0.0.1:9,role=primary,fifos=no|aio:${imageOf(world, 'a')}`;
    const vbd = await world.open(name);
    const [driver, below] = vbd.drivers;
    t.match(vbd.describe(), 'fifos=no unprotected primary | aio');
    let answer: BlockStatusDone = () => {};
    if (below) below.blockStatus = (_range, done) => void (answer = done);
    const told: unknown[] = [];
    const asked = (): void =>
      driver?.blockStatus?.({ sector: 0, sectors: 8 }, (...status) => told.push(status));
    const hole = [{ sectors: 8, allocated: false, zero: true }];
    asked();
    answer(0, hole);
    asked();
    await vbd.pause();
    answer(0, hole);
    t.same(told, [[0, hole], [0]]);
    t.match(vbd.describe(), 'fifos=no | aio');
  },
);

t.test('TLS is refused where sockets are not those of the operating system', (t) => {
  const image = { path: '/a', fileSystem: 1, inode: 2, modifiedMicroseconds: 3 };
  const below = { identify: (done) => done(0, image) } as Partial<Driver> as Driver;
  const context = { posix: {} as Posix } as DriverContext;
  const parts = { files: () => ({}) as NodeFileCalls, random: () => {} };
  const options = 'h:9,tls-cert=/c,tls-key=/k,tls-ca=/a';
  const driver = createRemusType(parts).createFilter(context, options, below);
  const told: unknown[] = [];
  driver.open({ readOnly: false, shared: false }, (...outcome) => told.push(outcome));
  t.same(told, [[-errno.EINVAL, 'TLS cannot be used: TLS needs real sockets']]);
  t.end();
});
