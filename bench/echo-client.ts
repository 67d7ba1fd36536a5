// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Sends messages to an echo server, on each connection the next when the last has come back whole, and checks every byte.
// For each line "bytes messages connections" on standard input it prints the nanoseconds per message. Argument: the port.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const sockets: Socket[] = [];
for await (const line of createInterface(process.stdin)) {
  const [bytes = 0, messages = 0, connections = 1] = line.split(' ').map(Number);
  while (sockets.length < connections) {
    const socket = connect({ port: Number(process.argv[2]), host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    sockets.push(socket);
  }
  const message = Buffer.from(Array.from({ length: bytes }, (_, n) => (n * 31 + 7) & 0xff));
  const each = messages / connections;
  const startMs = performance.now();
  await Promise.all(sockets.slice(0, connections).map((socket) => roundTrips(socket, message, each)));
  console.log(((performance.now() - startMs) * 1e6) / messages);
}
for (const socket of sockets) socket.destroy();

async function roundTrips(connection: Socket, message: Buffer, messages: number): Promise<void> {
  const bytes = message.length;
  let received = 0;
  let done = 0;
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
}
