// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** A backup that is another program: it does with its connections as it pleases. */
export async function foreignBackup(t: Test, serve: (socket: Socket) => void): Promise<string> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => listener.close());
  return `127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

/** A primary that is another program, connected to a backup. */
export async function foreignPrimary(address: string): Promise<Socket> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

export const everything = async (socket: Socket): Promise<Buffer> => Buffer.concat(await socket.toArray());
