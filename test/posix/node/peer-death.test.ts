// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { AF_INET, errno, READABLE } from '../../../src/posix/index.js';
import { acceptOne, listening, readiness } from '../arms/world.js';
import { posixFor } from '../fixture.js';

t.test(
  'a peer that is killed in mid-stream: what it sent is read, then the end, and sending fails',
  async (t) => {
    const posix = posixFor(t);
    const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
    const { port } = address as { port: number };
    const program = `const socket = require('node:net').connect(${port}, '127.0.0.1');
    const send = () => { while (socket.write(Buffer.alloc(65536, 'm'))); };
    socket.on('connect', send).on('drain', send);`;
    const child = spawn(process.execPath, ['--eval', program], { stdio: 'inherit' });
    const exited = once(child, 'exit');
    const fd = await acceptOne(posix, listener);
    const buffer = Buffer.alloc(100_000);
    let got = 0;
    let last = -errno.EAGAIN;
    while (last > 0 || last === -errno.EAGAIN) {
      await readiness(posix, fd, READABLE);
      last = posix.read(fd, buffer);
      if (last > 0) got += last;
      if (got > 5_000_000 && !child.killed) child.kill('SIGKILL');
    }
    await exited;
    t.ok(got > 5_000_000);
    t.ok(last === 0 || last === -errno.ECONNRESET, `ended with ${last}`);
    t.equal(posix.read(fd, buffer), 0);
    // The kernel answers the first bytes sent to the dead with a reset; from then on sending fails.
    let answer = 1;
    while (answer !== -errno.EPIPE) {
      answer = posix.write(fd, Buffer.from('anybody there?'));
      await posix.select({ read: [fd] }, 0);
    }
    t.equal(posix.write(fd, Buffer.from('x')), -errno.EPIPE);
  },
);
