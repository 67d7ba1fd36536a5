// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { errno, NodePosix } from '../../src/posix/index.js';
import t from 'tap';
import { resetConnection } from '../../src/transfer/reset-connection.js';

/** Whether a connection in some condition is reset. */
function isReset(prepare: (socket: Socket) => void): boolean {
  let resets = 0;
  class Noted extends Socket {
    override resetAndDestroy(): this {
      resets += 1;
      return this;
    }
    /** Nothing is ever sent. */
    override _write(): void {}
    override _final(): void {}
  }
  const socket = new Noted();
  prepare(socket);
  const posix = new NodePosix();
  const fd = posix.adopt(socket);
  resetConnection(posix, fd);
  posix.release(fd);
  return resets === 1;
}

t.test('a connection is reset, unless its end has been sent', async (t) => {
  t.equal(
    isReset(() => {}),
    true,
  );
  t.equal(
    isReset((socket) => socket.write('text')),
    true,
  );
  t.equal(
    isReset((socket) => socket.end('text')),
    true,
    'its end waits behind what is not sent',
  );
  t.equal(
    isReset((socket) => socket.end()),
    false,
  );
});

t.test('what is no connection is left alone', async (t) => {
  const posix = new NodePosix();
  const stream = new PassThrough();
  const fd = posix.adopt(stream);
  resetConnection(posix, fd);
  resetConnection(posix, fd + 1);
  t.equal(stream.destroyed, false);
  t.equal(posix.write(fd, Buffer.from('x')), 1);
  t.equal(posix.close(fd), 0);
  t.equal(posix.close(fd), -errno.EBADF);
});
