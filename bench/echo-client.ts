// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Sends messages to an echo server, the next when the last has come back whole, and checks every byte. For each line
// "bytes messages" on standard input it prints the nanoseconds per round trip. Argument: the port.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const socket = connect({ port: Number(process.argv[2]), host: '127.0.0.1', noDelay: true });
await once(socket, 'connect');
for await (const line of createInterface(process.stdin)) {
  const [bytes = 0, messages = 0] = line.split(' ').map(Number);
  console.log(await roundTrip(socket, bytes, messages));
}
socket.destroy();

async function roundTrip(connection: Socket, bytes: number, messages: number): Promise<number> {
  const message = Buffer.from(Array.from({ length: bytes }, (_, n) => (n * 31 + 7) & 0xff));
  let received = 0;
  let done = 0;
  const startMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    connection.on('error', reject);
    connection.on('data', (data) => {
      if (!data.equals(message.subarray(received, received + data.length)))
        reject(new Error('the echo differs'));
      received += data.length;
      if (received < bytes) return;
      received = 0;
      done += 1;
      if (done === messages) resolve();
      else connection.write(message);
    });
    connection.write(message);
  });
  connection.removeAllListeners('data').removeAllListeners('error');
  return ((performance.now() - startMs) * 1e6) / messages;
}
