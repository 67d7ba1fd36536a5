// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodePosix } from '../../src/posix/index.js';
import { outputToFile } from '../../src/transfer/output-file.js';
import { TransferError } from '../../src/transfer/transfer-error.js';
import { Random } from '../../src/testing/index.js';
import { randomBytes, randomSeed } from '../random.js';
import { ManualClock } from '../disks/bench.js';
import { smallFileSystem } from '../small-file-system.js';
import {
  backupOn,
  inputOf,
  listeningBackup,
  MemoryOutput,
  openInput,
  primaryOn,
  serverTest,
  sha256,
} from './world.js';

serverTest('an image arrives, both sides confirm it, and the next is accepted', async (t, server) => {
  const random = new Random(randomSeed(t));
  const output = new MemoryOutput();
  const { backup, log, address } = await listeningBackup(server, { output });
  for (const length of [3_000_000, 0, 1]) {
    const image = randomBytes(random, length);
    const { primary, log: primaryLog } = primaryOn(server, { name: address, input: inputOf(image) });
    await primary.start();
    t.same(await primary.ended, { kind: 'complete' });
    const expected = { bytes: length, sha256: sha256(image), confirmed: true };
    t.match(await primaryLog.event('complete'), expected);
    t.match(await log.event('complete', output.copies.length), expected);
    t.ok(output.copies.at(-1)?.equals(image), `${length} bytes`);
    t.same(primaryLog.names(), ['connecting', 'established', 'complete']);
  }
  t.match(backup.status(), { transfers: 3, attempts: 3 });
  await backup.stop('SIGTERM');
  t.same(await backup.ended, { kind: 'stopped', signal: 'SIGTERM' });
});

serverTest('a backup for one image ends after that image', async (t, server) => {
  const { backup, address } = await listeningBackup(server, { once: true });
  const { primary } = primaryOn(server, { name: address });
  await primary.start();
  t.same(await primary.ended, { kind: 'complete' });
  t.same(await backup.ended, { kind: 'complete' });
});

serverTest(
  'a primary that comes while the backup has one waits for its turn, with its input untouched',
  async (t, server) => {
    const output = new MemoryOutput();
    const { backup, log, address } = await listeningBackup(server, { output });
    const { input, stream } = openInput();
    const first = primaryOn(server, { name: address, input });
    await first.primary.start();
    stream.write('first ');
    await first.log.event('established');
    const second = primaryOn(server, { name: address, input: inputOf(Buffer.from('second')) });
    await second.primary.start();
    t.match(
      (await second.log.event('turned-away')).message,
      /^the backup is busy with 127\.0\.0\.1:\d+ for 0 s: wait until that primary has ended, or until its host has not responded for 30 s$/,
    );
    t.equal(second.primary.status().bytes, 0);
    stream.end('image');
    t.same(await first.primary.ended, { kind: 'complete' });
    t.same(await second.primary.ended, { kind: 'complete' });
    await log.event('complete', 2);
    t.same(output.copies.map(String), ['first image', 'second']);
    await backup.stop('SIGTERM');
  },
);

serverTest('a stopped primary leaves the previous copy, and the backup continues', async (t, server) => {
  const directory = t.testdir({ copy: 'before' });
  const path = join(directory, 'copy');
  const { backup, log, address } = await listeningBackup(server, { output: await outputToFile(path) });
  const { input, stream } = openInput();
  const { primary } = primaryOn(server, { name: address, input });
  await primary.start();
  stream.write(Buffer.alloc(200_000));
  await log.bytesMoved();
  t.same(readdirSync(directory), ['copy', 'copy.partial']);
  primary.stop('SIGINT');
  t.same(await primary.ended, { kind: 'stopped', signal: 'SIGINT' });
  t.match(await log.event('broken'), { code: 'ECONNRESET' });
  t.equal(readFileSync(path, 'utf8'), 'before');
  t.same(readdirSync(directory), ['copy']);
  const again = primaryOn(server, { name: address, input: inputOf(Buffer.from('after')) });
  await again.primary.start();
  t.same(await again.primary.ended, { kind: 'complete' });
  t.equal(readFileSync(path, 'utf8'), 'after');
  await backup.stop('SIGTERM');
});

serverTest(
  'a backup that is stopped in mid-stream fails its primary, and keeps nothing',
  async (t, server) => {
    const directory = t.testdir();
    const { backup, log, address } = await listeningBackup(server, {
      output: await outputToFile(join(directory, 'copy')),
    });
    const { input, stream } = openInput();
    const { primary, log: primaryLog } = primaryOn(server, { name: address, input });
    await primary.start();
    stream.write(Buffer.alloc(200_000));
    await log.bytesMoved();
    await backup.stop('SIGTERM');
    t.same(await backup.ended, { kind: 'stopped', signal: 'SIGTERM' });
    t.same(readdirSync(directory), []);
    t.same(await primary.ended, { kind: 'failed' });
    t.match(await primaryLog.event('failed'), {
      code: 'ECONNRESET',
      message: /^the connection to the backup broke/,
    });
  },
);

serverTest(
  'an input that fails in mid-stream fails the primary, and the backup keeps nothing',
  async (t, server) => {
    const output = new MemoryOutput();
    const { backup, log, address } = await listeningBackup(server, { output });
    const { input, stream } = openInput();
    const { primary, log: primaryLog } = primaryOn(server, { name: address, input });
    await primary.start();
    stream.write('half of ');
    await primaryLog.bytesMoved();
    stream.destroy(Object.assign(new Error('bad sector'), { code: 'EIO' }));
    t.same(await primary.ended, { kind: 'failed' });
    t.match(await primaryLog.event('failed'), {
      code: 'EIO',
      message: 'cannot read feed: input/output error',
    });
    await log.event('broken');
    t.same(output.copies, []);
    await backup.stop('SIGTERM');
  },
);

serverTest(
  'a file system that fills up keeps the copy before, and gets its space back',
  async (t, server) => {
    const directory = t.testdir();
    const remove = smallFileSystem(directory, '1m');
    if (typeof remove === 'string') return void t.pass(`left out: ${remove}`, { skip: true });
    try {
      const path = join(directory, 'copy');
      writeFileSync(path, 'before');
      const { backup, log, address } = await listeningBackup(server, { output: await outputToFile(path) });
      const image = Buffer.alloc(8_000_000);
      const { primary, log: primaryLog } = primaryOn(server, { name: address, input: inputOf(image) });
      await primary.start();
      t.match(await primaryLog.event('failed'), { code: 'ENOSPC' });
      t.match(await log.event('broken'), { code: 'ENOSPC' });
      t.equal(readFileSync(path, 'utf8'), 'before');
      t.same(readdirSync(directory), ['copy']);
      const small = primaryOn(server, { name: address, input: inputOf(Buffer.from('after')) });
      await small.primary.start();
      t.same(await small.primary.ended, { kind: 'complete' });
      t.equal(readFileSync(path, 'utf8'), 'after');
      await backup.stop('SIGTERM');
    } finally {
      remove();
    }
  },
);

serverTest('a disk that turns out to be full at the end is also reported', async (t, server) => {
  const { backup, log, address } = await listeningBackup(server, { output: await outputToFile('/dev/full') });
  const { primary, log: primaryLog } = primaryOn(server, { name: address });
  await primary.start();
  t.same(await primary.ended, { kind: 'failed' });
  t.match(await primaryLog.event('failed'), { code: 'ENOSPC' });
  t.match(await log.event('broken'), { code: 'ENOSPC' });
  await backup.stop('SIGTERM');
});

serverTest('an output that cannot be opened ends a backup for one image', async (t, server) => {
  const directory = t.testdir();
  const path = join(directory, 'copy');
  const output = await outputToFile(path);
  const { backup, address } = await listeningBackup(server, { output, once: true });
  for (let count = 0; count < 100; count++)
    writeFileSync(`${path}.partial${count > 0 ? `.${count}` : ''}`, '');
  const { primary, log: primaryLog } = primaryOn(server, { name: address });
  await primary.start();
  t.same(await primary.ended, { kind: 'failed' });
  t.match(await primaryLog.event('failed'), { code: 'EEXIST' });
  t.same(await backup.ended, { kind: 'failed' });
  t.notOk(existsSync(path));
});

serverTest(
  'a part of an image on standard output ends the backup: nothing may follow it',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server, {
      output: new MemoryOutput({ appends: true }),
    });
    const { input, stream } = openInput();
    const { primary } = primaryOn(server, { name: address, input });
    await primary.start();
    stream.write(Buffer.alloc(200_000));
    await log.bytesMoved();
    primary.stop('SIGINT');
    t.same(await backup.ended, { kind: 'failed' });
    t.match(await log.event('failed'), {
      code: 'ECONNRESET',
      message:
        'the connection to the primary broke: connection reset by peer; memory holds a part of an image',
    });
    t.notOk(log.names().includes('broken'), 'one fault, one report');
  },
);

serverTest('the status reports what happens, from start to end', async (t, server) => {
  const { backup, log } = backupOn(server, { name: 'localhost:0' });
  t.match(backup.status(), {
    role: 'backup',
    state: 'none',
    phase: 'looking up',
    address: 'localhost:0',
    peer: null,
  });
  await backup.start();
  const { address } = await log.event('listening');
  t.match(backup.status(), { state: 'in_progress', phase: 'listening', address, bytes: 0, attempts: 0 });
  const { input, stream } = openInput();
  const { primary, log: primaryLog } = primaryOn(server, { name: address, input });
  t.match(primary.status(), {
    role: 'primary',
    state: 'none',
    phase: 'looking up',
    seconds: 0,
    file: 'feed',
  });
  const started = primary.start();
  await started;
  t.match(primary.status(), { state: 'in_progress', phase: 'connecting', address, pid: process.pid });
  await primaryLog.event('established');
  t.match(primary.status(), { state: 'established', phase: 'greeting', peer: address, attempts: 1 });
  stream.write('image');
  await log.event('established');
  await primaryLog.bytesMoved();
  t.match(primary.status(), { phase: 'sending', bytes: 5 });
  t.match(backup.status(), { state: 'established', attempts: 1, peer: /^127\.0\.0\.1:\d+$/ });
  stream.end();
  await primary.ended;
  t.match(primary.status(), { state: 'closed', phase: 'ended', transfers: 1, bytes: 5, peer: null });
  await log.event('listening', 2);
  t.match(backup.status(), { state: 'in_progress', phase: 'listening', transfers: 1, bytes: 5 });
  await backup.stop('SIGTERM');
  t.match(backup.status(), { state: 'closed', phase: 'ended' });
});

serverTest(
  'standard output that has got no byte takes the next image; one byte is a part',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server, {
      output: new MemoryOutput({ appends: true }),
    });
    for (const image of ['', 'x']) {
      const { input, stream } = openInput();
      const { primary, log: primaryLog } = primaryOn(server, { name: address, input, raw: image !== '' });
      await primary.start();
      await primaryLog.event('established');
      if (image === '') {
        await log.event('established');
        primary.stop('SIGINT');
        t.match(await log.event('broken'), { code: 'ECONNRESET', bytes: 0 });
        await log.event('listening', 2);
      } else {
        stream.write(image);
        await log.bytesMoved();
        primary.stop('SIGINT');
        t.same(await backup.ended, { kind: 'failed' });
        t.match(await log.event('failed'), { message: /; memory holds a part of an image$/, bytes: 1 });
      }
    }
  },
);

serverTest(
  'standard output that cannot be written ends the backup, without a report of a partial image',
  async (t, server) => {
    const output = new MemoryOutput({ appends: true });
    const begin = output.begin.bind(output);
    output.begin = async () => {
      const copy = await begin();
      return {
        ...copy,
        commit: () => Promise.reject(new TransferError('ENOSPC', 'cannot write memory: full')),
      };
    };
    const { backup, log, address } = await listeningBackup(server, { output });
    const { primary } = primaryOn(server, { name: address });
    await primary.start();
    t.same(await backup.ended, { kind: 'failed' });
    t.match(await log.event('failed'), { code: 'ENOSPC', message: 'cannot write memory: full', bytes: 5 });
    t.same(await primary.ended, { kind: 'failed' });
  },
);

const clock = new ManualClock();
serverTest(
  'a further primary is turned away with the whole seconds for which the backup has been busy',
  async (t, server) => {
    for (const [silenceSeconds, end] of [
      [0, ''],
      [1, ', or until its host has not responded for 1 s'],
    ] as const) {
      const { backup, address } = await listeningBackup(server, { silenceSeconds });
      const { input, stream } = openInput();
      const first = primaryOn(server, { name: address, input, silenceSeconds: 0 });
      await first.primary.start();
      stream.write('image');
      await first.log.event('established');
      await first.log.bytesMoved();
      clock.seconds += 7.9;
      const second = primaryOn(server, { name: address });
      await second.primary.start();
      const { message } = await second.log.event('turned-away');
      t.equal(
        message.replace(/127\.0\.0\.1:\d+/, 'HOST'),
        `the backup is busy with HOST for 7 s: wait until that primary has ended${end}`,
      );
      second.primary.stop('SIGTERM');
      first.primary.stop('SIGTERM');
      await Promise.all([first.primary.ended, second.primary.ended]);
      await backup.stop('SIGTERM');
    }
  },
  new NodePosix({ clock }),
);
