// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// How long each side waits for the other. The times are real, so that these tests run beside each other.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import { inputFromFile } from '../../src/transfer/input.js';
import { GREETING, verdictLine } from '../../src/transfer/wire.js';
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

/** As a backup that was stopped until the primary had waited long enough, and again greets in time after `times` of them. */
function lateBackup(t: Test, times: number): Promise<string> {
  let connections = 0;
  return foreignBackup(t, (socket) => {
    connections += 1;
    if (connections > times) {
      socket.write(GREETING);
      socket.resume().on('end', () => socket.end(verdictLine({ kind: 'ok', ...digest })));
      return;
    }
    socket.once('data', () =>
      socket.resume().end(verdictLine({ kind: 'error', code: 'EPROTO', message: 'it sends raw' })),
    );
  });
}

serverTest('a backup that greets too late is sent the file again', async (t, server) => {
  const path = join(t.testdir(), 'image');
  writeFileSync(path, image);
  const name = await lateBackup(t, 1);
  const { primary, log } = primaryOn(server, { name, input: await inputFromFile(path) });
  await primary.start();
  t.match(await log.event('turned-away'), {
    message: /^the backup did not greet within 2 s, and then refused/,
  });
  t.match(await log.event('complete'), { confirmed: true, ...digest });
  await primary.ended;
});

serverTest('a file that is gone by then, or an input that cannot be read again, fails', async (t, server) => {
  const path = join(t.testdir(), 'image');
  writeFileSync(path, image);
  const [file, stream] = [await lateBackup(t, 1), await lateBackup(t, 1)];
  const ofFile = primaryOn(server, { name: file, input: await inputFromFile(path) });
  const ofStream = primaryOn(server, { name: stream, input: inputOf(image) });
  rmSync(path);
  await Promise.all([ofFile.primary.start(), ofStream.primary.start()]);
  t.match(await ofFile.log.event('failed'), { code: 'ENOENT' });
  t.match(await ofStream.log.event('failed'), {
    code: 'ETIMEDOUT',
    message: /^the backup did not greet within 2 s, .*; memory cannot be read again$/,
  });
  await Promise.all([ofFile.primary.ended, ofStream.primary.ended]);
});

serverTest(
  'a backup that says something else in time, and then refuses the image, is not tried again',
  async (t, server) => {
    const name = await foreignBackup(t, (socket) => {
      socket.write('tapdisk-ts backup 9\n');
      socket.once('data', () =>
        socket.resume().end(verdictLine({ kind: 'error', code: 'EPROTO', message: 'it sends raw' })),
      );
    });
    const { primary, log } = primaryOn(server, { name, input: inputOf(image) });
    await primary.start();
    t.match(await log.event('failed'), { code: 'EPROTO' });
    await primary.ended;
  },
);

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
