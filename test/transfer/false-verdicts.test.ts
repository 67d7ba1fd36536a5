// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { errno, NodePosix } from '../../src/posix/index.js';
import { GREETING, HEADER, MAX_VERDICT_BYTES, TRAILER_BYTES, verdictLine } from '../../src/transfer/wire.js';
import { inputOf, openInput, primaryOn, serverTest, sha256 } from './world.js';

const image = Buffer.from('an image of some bytes');

/** Something that says it is a backup, and does with a primary what the test says. */
async function falseBackup(t: Test, meet: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).write(GREETING);
    meet(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

serverTest('an image is confirmed by its length and SHA-256, and nothing less', async (t, server) => {
  for (const [verdict, kind, code] of [
    [{ bytes: image.length, sha256: sha256(image) }, 'complete', undefined],
    [{ bytes: image.length, sha256: sha256(HEADER) }, 'failed', 'EBADMSG'],
    [{ bytes: image.length + 1, sha256: sha256(image) }, 'failed', 'EBADMSG'],
    [{ bytes: image.length, sha256: sha256(image).replace(/.$/, 'x') }, 'failed', undefined],
  ] as const) {
    const name = await falseBackup(t, (socket) => {
      socket.resume().on('end', () => socket.end(verdictLine({ kind: 'ok', ...verdict })));
    });
    const { primary, log } = primaryOn(server, { name, input: inputOf(image) });
    await primary.start();
    const outcome = await primary.ended;
    t.equal(outcome.kind, kind, JSON.stringify(verdict));
    if (code !== undefined) t.match(await log.event('failed'), { code });
  }
});

serverTest('a backup whose reply is not a verdict has failed, even if it sends more', async (t, server) => {
  for (const reply of ['fine, thanks\n', 'x'.repeat(MAX_VERDICT_BYTES), 'ok 1 \0\n', '\n']) {
    for (const when of ['data', 'end'] as const) {
      const name = await falseBackup(t, (socket) => {
        socket.resume().once(when, () => socket.write(reply));
      });
      const { primary, log } = primaryOn(server, { name, input: inputOf(image) });
      await primary.start();
      t.match(await primary.ended, { kind: 'failed' });
      t.match(await log.event('failed'), {
        code: 'EPROTO',
        message: /^the backup's reply is no verdict: EPROTO|protocol error$/,
      });
    }
  }
});

serverTest('a positive verdict before the end of the image confirms nothing', async (t, server) => {
  const name = await falseBackup(t, (socket) => {
    socket.once('data', () => socket.write(verdictLine({ kind: 'ok', bytes: 5, sha256: sha256(image) })));
  });
  const { input, stream } = openInput();
  const { primary, log } = primaryOn(server, { name, input });
  await primary.start();
  stream.write('image');
  t.match(await primary.ended, { kind: 'failed' });
  t.match(await log.event('failed'), { code: 'EPROTO' });
  stream.destroy();
});

/** Of a connection on which nothing more is heard from the first byte of an image on, until sending has failed. */
class DeafPosix extends NodePosix {
  #deaf = -1;
  /** What came meanwhile, and is there to be read afterwards. */
  #come: Buffer = Buffer.alloc(0);
  isBroken = false;
  /** A whole line has come. */
  onCome = (): void => {};

  override write(fd: number, bytes: Uint8Array): number {
    return this.#sends(fd, [bytes]) ? super.write(fd, bytes) : -errno.EPIPE;
  }
  override send(...[fd, pieces, done]: Parameters<NodePosix['send']>): number {
    return this.#sends(fd, pieces) ? super.send(fd, pieces, done) : -errno.EPIPE;
  }
  override read(fd: number, buffer: Uint8Array): number {
    if (fd !== this.#deaf) return this.#come.length > 0 ? this.#comeTo(buffer) : super.read(fd, buffer);
    const count = super.read(fd, buffer);
    if (count > 0) this.#come = Buffer.concat([this.#come, buffer.subarray(0, count)]);
    if (this.#come.includes('\n')) this.onCome();
    return -errno.EAGAIN;
  }

  /** A byte at a time. */
  #comeTo(buffer: Uint8Array): number {
    buffer.set(this.#come.subarray(0, 1));
    this.#come = this.#come.subarray(1);
    return 1;
  }

  #sends(fd: number, pieces: readonly Uint8Array[]): boolean {
    if (fd === this.#deaf && this.isBroken) {
      this.#deaf = -1;
      return false;
    }
    if (Buffer.concat(pieces).includes(HEADER)) this.#deaf = fd;
    return true;
  }
}

const deaf = new DeafPosix();
serverTest(
  'the reason that a backup gives just before the connection breaks is the one reported',
  async (t, server) => {
    const isCome = new Promise<void>((resolve) => {
      deaf.onCome = resolve;
    });
    const name = await falseBackup(t, (socket) => {
      socket.once('data', () =>
        socket.write(verdictLine({ kind: 'error', code: 'ENOSPC', message: 'the disk is full' })),
      );
    });
    const { input, stream } = openInput();
    const { primary, log } = primaryOn(server, { name, input });
    await primary.start();
    stream.write(Buffer.alloc(TRAILER_BYTES));
    await isCome;
    deaf.isBroken = true;
    stream.write('more');
    t.match(await primary.ended, { kind: 'failed' });
    t.match(await log.event('failed'), { code: 'ENOSPC', message: /the disk is full/ });
    stream.destroy();
  },
  deaf,
);
