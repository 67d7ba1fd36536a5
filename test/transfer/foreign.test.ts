// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import { GREETING, HEADER, trailer, verdictLine } from '../../src/transfer/wire.js';
import { everything, foreignBackup, foreignPrimary } from './foreign.js';
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

const image = Buffer.from('an image of some length, '.repeat(50_000));
const digest = { bytes: image.length, sha256: sha256(image) };

serverTest('a primary that is another program gets no greeting, but gets the verdict', async (t, server) => {
  const output = new MemoryOutput();
  const { backup, log } = backupOn(server, { output, once: true });
  await backup.start();
  const socket = await foreignPrimary((await log.event('listening')).address);
  socket.end(image);
  t.same(await everything(socket), verdictLine({ kind: 'ok', ...digest }));
  t.match(await log.event('complete'), { confirmed: false, ...digest });
  await backup.ended;
  t.ok(output.copies[0]?.equals(image));
});

serverTest('the image of a primary that closes without reading is accepted', async (t, server) => {
  const output = new MemoryOutput();
  const { backup, log } = backupOn(server, { output, once: true });
  await backup.start();
  const socket = await foreignPrimary((await log.event('listening')).address);
  socket.pause();
  socket.end(image, () => socket.destroy());
  t.match(await log.event('complete'), { confirmed: false, ...digest });
  t.ok(output.copies[0]?.equals(image));
});

serverTest('a primary that resets its connection is reported as broken', async (t, server) => {
  const output = new MemoryOutput();
  const { backup, log } = backupOn(server, { output });
  await backup.start();
  const socket = await foreignPrimary((await log.event('listening')).address);
  socket.write(image);
  await log.bytesMoved();
  socket.resetAndDestroy();
  t.match(await log.event('broken'), {
    code: 'ECONNRESET',
    message: 'the connection to the primary broke: connection reset by peer',
  });
  t.same(output.copies, []);
  t.equal(output.abandoned, 1);
  await backup.stop('SIGTERM');
});

serverTest(
  'a connection that sends nothing changes nothing, whether it ends or is reset',
  async (t, server) => {
    const output = new MemoryOutput();
    const { backup, log, address } = await listeningBackup(server, { output });
    (await foreignPrimary(address)).end();
    await log.event('nothing');
    await log.event('listening', 2);
    (await foreignPrimary(address)).resetAndDestroy();
    await log.event('broken');
    t.same(output.copies, []);
    await backup.stop('SIGTERM');
  },
);

serverTest(
  'a primary that dies in mid-stream is broken, though its connection ends as usual',
  async (t, server) => {
    const output = new MemoryOutput();
    const { backup, log, address } = await listeningBackup(server, { output });
    const socket = await foreignPrimary(address);
    socket.end(Buffer.concat([HEADER, image]));
    t.match(await log.event('broken'), { message: 'the stream ended before the image did' });
    t.equal(String(await everything(socket)), 'error EPIPE the stream ended before the image did\n');
    t.same(output.copies, []);
    await backup.stop('SIGTERM');
  },
);

serverTest('a backup can refuse unframed images, with a message', async (t, server) => {
  const output = new MemoryOutput();
  const { backup, log, address } = await listeningBackup(server, { output, acceptsRaw: false });
  const socket = await foreignPrimary(address);
  socket.end(image);
  t.match(String(await everything(socket)), /^error EPROTO the primary is no tapdisk-ts/);
  t.match(await log.event('broken'), { code: 'EPROTO' });
  t.same(output.copies, []);
  const { primary } = primaryOn(server, { name: address, input: inputOf(image) });
  await primary.start();
  t.same(await primary.ended, { kind: 'complete' });
  await backup.stop('SIGTERM');
});

serverTest('a backup with another greeting is sent the image at once', async (t, server) => {
  let got: Promise<Buffer> | undefined;
  const address = await foreignBackup(t, (socket) => {
    socket.write('220 welcome\r\n');
    got = everything(socket);
    socket.on('end', () => socket.end('221 bye\r\n'));
  });
  const { primary } = primaryOn(server, { name: address, input: inputOf(image) });
  await primary.start();
  t.same(await primary.ended, { kind: 'complete' });
  t.ok((await got)?.equals(image));
});

serverTest('a raw primary sends at once; an echo of the image is read and forgotten', async (t, server) => {
  const address = await foreignBackup(t, (socket) => socket.pipe(socket));
  const { primary, log } = primaryOn(server, { name: address, input: inputOf(image), raw: true });
  await primary.start();
  t.same(await primary.ended, { kind: 'complete' });
  t.match(await log.event('complete'), { confirmed: false, ...digest });
});

serverTest('tapdisk-ts confirms the image of a raw primary', async (t, server) => {
  const { backup, log, address } = await listeningBackup(server, { once: true });
  const { primary, log: primaryLog } = primaryOn(server, { name: address, input: inputOf(image), raw: true });
  await primary.start();
  t.match(await primaryLog.event('complete'), { confirmed: true, ...digest });
  t.match(await log.event('complete'), { confirmed: false, ...digest });
  await primary.ended;
  await backup.ended;
});

serverTest('a backup that ends its side at once may still take the image', async (t, server) => {
  const address = await foreignBackup(t, (socket) => {
    socket.end();
    socket.resume();
  });
  const { input, stream } = openInput();
  const { primary, log } = primaryOn(server, { name: address, input, raw: true });
  await primary.start();
  stream.write('first ');
  await log.bytesMoved();
  stream.end('second');
  t.same(await primary.ended, { kind: 'complete' });
  t.match(await log.event('complete'), { confirmed: false, bytes: 12 });
});

const wrongs: [string, (socket: Socket) => void, object][] = [
  [
    'another image',
    (socket) => socket.end(verdictLine({ kind: 'ok', bytes: 5, sha256: digest.sha256 })),
    { code: 'EBADMSG', message: `the backup has another image: 5 bytes, SHA-256 ${digest.sha256}` },
  ],
  [
    'an error',
    (socket) => socket.end('error EDQUOT quota exceeded\n'),
    { code: 'EDQUOT', message: 'the backup failed: quota exceeded' },
  ],
  [
    'nothing',
    (socket) => socket.end(),
    { code: 'EPIPE', message: /^the backup closed the connection without a verdict/ },
  ],
  ['a reset', (socket) => socket.resetAndDestroy(), { code: 'ECONNRESET' }],
];
for (const [what, answer, expected] of wrongs) {
  serverTest(`a backup that answers the end with ${what} fails the primary`, async (t, server) => {
    const address = await foreignBackup(t, (socket) => {
      socket.write(GREETING);
      socket.resume();
      socket.on('end', () => answer(socket));
    });
    const { primary, log } = primaryOn(server, { name: address, input: inputOf(image) });
    await primary.start();
    t.same(await primary.ended, { kind: 'failed' });
    t.match(await log.event('failed'), expected);
  });
}

serverTest('a verdict before the end fails the primary', async (t, server) => {
  const address = await foreignBackup(t, (socket) => {
    socket.write(GREETING);
    socket.once('data', () => socket.write(verdictLine({ kind: 'ok', ...digest })));
  });
  const { input, stream } = openInput();
  const { primary, log } = primaryOn(server, { name: address, input });
  await primary.start();
  stream.write('image');
  t.same(await primary.ended, { kind: 'failed' });
  t.match(await log.event('failed'), { code: 'EPROTO' });
});

serverTest('a failure that a backup reports in mid-stream is believed', async (t, server) => {
  const address = await foreignBackup(t, (socket) => {
    socket.write(GREETING);
    socket.once('data', () => socket.end('error ENOSPC full\n'));
    socket.resume();
  });
  const { primary, log } = primaryOn(server, { name: address, input: inputOf(Buffer.alloc(20_000_000)) });
  await primary.start();
  t.same(await primary.ended, { kind: 'failed' });
  t.match(await log.event('failed'), { code: 'ENOSPC', message: 'the backup failed: full' });
});

serverTest('a backup that dies in mid-stream fails the primary', async (t, server) => {
  const address = await foreignBackup(t, (socket) => {
    socket.write(GREETING);
    socket.once('data', () => socket.destroy());
  });
  const { input, stream } = openInput();
  const { primary, log } = primaryOn(server, { name: address, input });
  await primary.start();
  stream.write(image);
  t.same(await primary.ended, { kind: 'failed' });
  const { code, bytes } = await log.event('failed');
  t.match(code, /^(ECONNRESET|EPIPE)$/);
  t.ok(bytes > 0);
});

serverTest('a trailer alone, or garbage after an image, is not an image', async (t, server) => {
  const output = new MemoryOutput();
  const { backup, log, address } = await listeningBackup(server, { output });
  const wrong = Buffer.concat([HEADER, image, trailer(digest), Buffer.from('x')]);
  (await foreignPrimary(address)).end(wrong);
  await log.event('broken');
  t.same(output.copies, []);
  await backup.stop('SIGTERM');
});

/** How a connection ends for its other side, which reads on. */
async function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(`${code}`));
    socket.on('end', () => resolve('end of file'));
    socket.resume();
  });
}

serverTest(
  'a backup that is stopped resets its connection, and one that is done ends it',
  async (t, server) => {
    for (const isStopped of [true, false]) {
      const { backup, log, address } = await listeningBackup(server, { once: true });
      const socket = await foreignPrimary(address);
      const end = endOf(socket);
      socket.write('image');
      await log.bytesMoved();
      if (isStopped) await backup.stop('SIGTERM');
      else socket.end();
      t.equal(await end, isStopped ? 'ECONNRESET' : 'end of file');
      t.match(await backup.ended, { kind: isStopped ? 'stopped' : 'complete' });
      socket.destroy();
    }
  },
);
