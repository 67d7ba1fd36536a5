// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Sends messages of one size to an echo server, the next when the last has come back whole, and checks every byte.
// Arguments: port, bytes per message, messages. Prints nanoseconds per round trip.

import { once } from 'node:events';
import { connect } from 'node:net';

const [port, bytes, messages] = process.argv.slice(2).map(Number) as [number, number, number];
const message = Buffer.alloc(bytes);
for (let n = 0; n < bytes; n++) message[n] = (n * 31 + 7) & 0xff;

const socket = connect({ port, host: '127.0.0.1', noDelay: true });
await once(socket, 'connect');
let received = 0;
let done = 0;
const start = process.hrtime.bigint();
const finished = new Promise<void>((resolve, reject) => {
  socket.on('error', reject);
  socket.on('data', (data) => {
    if (!data.equals(message.subarray(received, received + data.length)))
      reject(new Error('the echo differs'));
    received += data.length;
    if (received < bytes) return;
    received = 0;
    done += 1;
    if (done === messages) resolve();
    else socket.write(message);
  });
});
socket.write(message);
await finished;
console.log(Number(process.hrtime.bigint() - start) / messages);
socket.destroy();
