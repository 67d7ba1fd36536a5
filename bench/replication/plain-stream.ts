// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A stream of TCP without anything in it: `receive ADDRESS PORT SECONDS` says `ready`, and then how many bytes a second have
// come after the first half second; `send ADDRESS PORT` sends until that is over.

import { createServer, connect } from 'node:net';

const RAMP_MS = 500;
const chunk = Buffer.alloc(256 << 10, 'a');
const [role, address = '', port = '', seconds = ''] = process.argv.slice(2);

if (role === 'receive') {
  const server = createServer((socket) => {
    let bytes = 0;
    socket.on('data', (data) => (bytes += data.length));
    setTimeout(() => {
      const [first, start] = [bytes, performance.now()];
      setTimeout(
        () => {
          console.log(((bytes - first) / (performance.now() - start)) * 1000);
          socket.destroy();
          server.close();
        },
        Number(seconds) * 1000,
      );
    }, RAMP_MS);
  }).listen(Number(port), address, () => console.log('ready'));
} else {
  const socket = connect(Number(port), address);
  const fill = (): void => {
    while (socket.write(chunk));
  };
  socket.on('drain', fill);
  socket.on('connect', fill);
  // The receiver ends it, in the middle of what is sent.
  socket.on('error', ({ message }) => socket.destroyed || console.error(message));
}
