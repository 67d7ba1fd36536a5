// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// How long each side waits for the other. The times are real, so that these tests run beside each other.

import tap from 'tap';
import { GREETING } from '../../src/transfer/wire.js';
import { everything, foreignBackup, foreignPrimary } from './foreign.js';
import { backupOn, inputOf, primaryOn, serverTest, sha256 } from './world.js';

tap.jobs = 8;
const image = Buffer.from('an image of some length, '.repeat(50_000));
const digest = { bytes: image.length, sha256: sha256(image) };

serverTest('a primary that keeps sending after a refusal is cut off', async (t, server) => {
  const { backup, log } = backupOn(server, { acceptsRaw: false });
  await backup.start();
  const socket = await foreignPrimary((await log.event('listening')).address);
  const closed = new Promise((resolve) => {
    socket.on('close', resolve);
  });
  const more = (): void => {
    while (!socket.destroyed && socket.write(image));
  };
  socket.on('drain', more);
  more();
  t.match(await log.event('broken'), { code: 'EPROTO' });
  await closed;
  await backup.stop('SIGTERM');
});

serverTest('a silent primary is dropped after the idle time', async (t, server) => {
  const first = backupOn(server, { idleSeconds: 1 });
  const second = backupOn(server, { idleSeconds: 1 });
  await Promise.all([first.backup.start(), second.backup.start()]);
  const silent = await foreignPrimary((await first.log.event('listening')).address);
  const stalled = await foreignPrimary((await second.log.event('listening')).address);
  stalled.write(image);
  t.match(await first.log.event('broken'), {
    code: 'ETIMEDOUT',
    message: 'the primary sent nothing for 1 s',
  });
  t.match(await second.log.event('broken'), { code: 'ETIMEDOUT', bytes: image.length });
  silent.destroy();
  stalled.destroy();
  await Promise.all([first.backup.stop('SIGTERM'), second.backup.stop('SIGTERM')]);
});

serverTest(
  'a backup that does not greet is sent only the image, and the missing verdict is reported',
  async (t, server) => {
    let got: Promise<Buffer> | undefined;
    const address = await foreignBackup(t, (socket) => {
      got = everything(socket);
      socket.on('end', () => socket.end());
    });
    const { primary, log } = primaryOn(server, { name: address, input: inputOf(image) });
    await primary.start();
    t.same(await primary.ended, { kind: 'complete' });
    t.match(await log.event('complete'), { confirmed: false, ...digest });
    t.ok((await got)?.equals(image));
  },
);

serverTest(
  'a backup that takes nothing, or gives no verdict, is given up after the idle time',
  async (t, server) => {
    const stuck = await foreignBackup(t, (socket) => {
      socket.write(GREETING);
      socket.pause();
    });
    const mute = await foreignBackup(t, (socket) => {
      socket.write(GREETING);
      socket.resume();
    });
    const other = await foreignBackup(t, (socket) => void socket.resume());
    const large = inputOf(Buffer.alloc(32_000_000));
    const first = primaryOn(server, { name: stuck, input: large, idleSeconds: 1 });
    const second = primaryOn(server, { name: mute, input: inputOf(image), idleSeconds: 1 });
    const third = primaryOn(server, { name: other, input: inputOf(image), idleSeconds: 1, raw: true });
    await Promise.all([first.primary.start(), second.primary.start(), third.primary.start()]);
    t.match(await first.log.event('failed'), {
      code: 'ETIMEDOUT',
      message: /^the backup took nothing for 1 s/,
    });
    t.match(await second.log.event('failed'), {
      code: 'ETIMEDOUT',
      message: /^no verdict of the backup in 1 s/,
    });
    t.match(await third.log.event('failed'), {
      code: 'ETIMEDOUT',
      message: /^the other program did not close the connection in 1 s/,
    });
  },
);
