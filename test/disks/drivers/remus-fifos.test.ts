// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import {
  C_FIFO_MODE,
  FIFO_DIRECTORY,
  FIFO_MODE,
  RemusFifos,
  type RemusFifosParts,
} from '../../../src/disks/drivers/remus-fifos.js';
import { type DiskWorld, diskWorld } from './disk-world.js';

/** What a FIFO has until `length` bytes are there. */
async function readFifo(fd: number, length: number): Promise<string> {
  const buffer = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const count = await new Promise<number>((resolve) => {
      fs.read(fd, buffer, at, length - at, null, (error, read) => resolve(error ? 0 : read));
    });
    if (count === 0) await new Promise((resolve) => setImmediate(resolve));
    at += count;
  }
  return buffer.toString('latin1');
}

function image(world: DiskWorld): string {
  const path = world.path('image');
  fs.writeFileSync(path, Buffer.alloc(1 << 20));
  return path;
}

t.test('two FIFOs take commands and give replies of four bytes, and are removed at close', async (t) => {
  const world = diskWorld(t);
  const fifos = world.path('tap');
  const name = `remus:127.0.0.1:9,role=primary,peer=c,fifos=${fifos}|aio:${image(world)}`;
  const vbd = await world.open(name);
  t.same(fs.readdirSync(fifos).sort(), ['remus_127.0.0.1_9', 'remus_127.0.0.1_9.msg']);
  t.equal(fs.statSync(fifos).mode & 0o777, 0o755);
  t.equal(fs.statSync(`${fifos}/remus_127.0.0.1_9`).mode & 0o777, 0o600);
  const answers = fs.openSync(
    `${fifos}/remus_127.0.0.1_9.msg`,
    fs.constants.O_RDWR | fs.constants.O_NONBLOCK,
  );
  fs.writeFileSync(`${fifos}/remus_127.0.0.1_9`, 'flush\n');
  t.equal(await readFifo(answers, 4), 'fail', 'there is no backup');
  fs.writeFileSync(`${fifos}/remus_127.0.0.1_9`, 'something else');
  t.equal(await readFifo(answers, 4), 'fail');
  fs.closeSync(answers);
  await vbd.close();
  t.same(fs.readdirSync(fifos), []);
  t.notOk(world.lines.some((line) => line.includes('no FIFOs')));
});

t.test('FIFOs left by a killed process are reused; those with a reader are not', async (t) => {
  const world = diskWorld(t);
  const fifos = world.path('tap');
  fs.mkdirSync(fifos);
  execFileSync('mkfifo', [`${fifos}/remus_127.0.0.1_9`, `${fifos}/remus_127.0.0.1_10`]);
  const reader = fs.openSync(`${fifos}/remus_127.0.0.1_10`, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  const path = image(world);
  t.equal(
    await world.tryOpen(`remus:127.0.0.1:10,role=primary,peer=c,fifos=${fifos}|aio:${path}`),
    -errno.EBUSY,
  );
  fs.closeSync(reader);
  await world.open(`remus:127.0.0.1:9,role=primary,peer=c,fifos=${fifos}|aio:${path}`);
  fs.writeFileSync(`${fifos}/plain`, '');
  fs.renameSync(`${fifos}/plain`, `${fifos}/remus_127.0.0.1_11`);
  const other = world.path('other');
  fs.copyFileSync(path, other);
  t.equal(
    await world.tryOpen(`remus:127.0.0.1:11,role=primary,fifos=${fifos}|aio:${other}`),
    -errno.EEXIST,
    'a file in its place is left alone',
  );
  t.equal(fs.readFileSync(`${fifos}/remus_127.0.0.1_11`, 'utf8'), '');
});

t.test('FIFOs are private, or for everybody where they are as C has them', async (t) => {
  t.same([FIFO_MODE, C_FIFO_MODE, FIFO_DIRECTORY], [0o600, 0o777, '/var/run/tap']);
  const world = diskWorld(t);
  const fifos = world.path('tap');
  await world.open(`remus:127.0.0.1:9,role=primary,fifo-mode=c,fifos=${fifos}|aio:${image(world)}`);
  for (const name of fs.readdirSync(fifos))
    t.equal(fs.statSync(`${fifos}/${name}`).mode & 0o777, 0o777 & ~process.umask(), name);
});

t.test('FIFOs that cannot be opened leave nothing behind, and the reason', (t) => {
  for (const [failing, result, expected] of [
    ['mkdir', -errno.EACCES, ['cannot make /r: EACCES']],
    ['read', -errno.EBUSY, ['open /r/remus_h_9', 'cannot open /r/remus_h_9: EBUSY']],
    [
      'write',
      -errno.ENXIO,
      [
        'open /r/remus_h_9',
        'open /r/remus_h_9.msg',
        'close 7',
        'unlink /r/remus_h_9',
        'cannot open /r/remus_h_9.msg: ENXIO',
      ],
    ],
  ] as const) {
    const log: string[] = [];
    const parts = {
      directory: '/r',
      address: 'h:9',
      mode: FIFO_MODE,
      posix: { close: (fd: number) => void log.push(`close ${fd}`) },
      files: {
        mkdir: (_path: string, mode: number, done: (result: number) => void) => {
          t.equal(mode, 0o755);
          done(failing === 'mkdir' ? result : -errno.EEXIST);
        },
        unlink: (path: string, done: (result: number) => void) => {
          log.push(`unlink ${path}`);
          done(0);
        },
      },
      openFifo: (path: string, end: string, _mode: number, done: (result: number) => void) => {
        log.push(`open ${path}`);
        done(failing === end ? result : 7);
      },
    } as unknown as RemusFifosParts;
    RemusFifos.open(parts, (code, fifos, reason) => {
      t.same([code, fifos], [result, undefined]);
      log.push(String(reason));
    });
    t.same(log, expected);
  }
  t.end();
});

t.test('FIFOs are closed once both are removed', (t) => {
  const unlinks: (() => void)[] = [];
  const closed: number[] = [];
  const parts = {
    directory: '/r',
    address: 'h:9',
    mode: FIFO_MODE,
    registrar: { registerEvent: () => 1, unregisterEvent() {}, setMaxTimeout: () => 0 },
    posix: { close: (fd: number) => closed.push(fd) },
    replication: { onEvent: () => () => {} },
    files: {
      mkdir: (_path: string, _mode: number, done: (result: number) => void) => done(0),
      unlink: (_path: string, done: (result: number) => void) => unlinks.push(() => done(0)),
    },
    openFifo: (_path: string, end: string, _mode: number, done: (result: number) => void) =>
      done(end === 'read' ? 7 : 8),
  } as unknown as RemusFifosParts;
  let isClosed = false;
  RemusFifos.open(parts, (code, fifos) => {
    t.equal(code, 0);
    fifos?.close(() => (isClosed = true));
  });
  t.same(new Set(closed), new Set([7, 8]));
  for (const unlinked of unlinks) {
    t.equal(isClosed, false);
    unlinked();
  }
  t.equal(unlinks.length, 2);
  t.equal(isClosed, true);
  t.end();
});
