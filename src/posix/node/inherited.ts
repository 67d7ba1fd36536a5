// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { MAX_WAITING_CONNECTIONS } from './accept-queue.js';
import { AF_UNIX, type SocketAddress } from '../address.js';
import { errno } from '../errno.js';
import { Listener } from './listener.js';
import { serverAddress } from './node-address.js';
import { SocketOptions } from '../shared/socket-options.js';
import { type SocketSettings, StreamSocket } from './stream-socket.js';

/**
 * A listening socket that the process was started with. Closing it leaves a Unix socket's file to its creator.
 *
 * @param inherited the number that it has in the process
 * @returns -EINVAL for anything but a listening stream socket
 */
export function inheritedListener(inherited: number, settings: SocketSettings): Listener | number {
  const server = createServer({ allowHalfOpen: true });
  // What goes wrong is seen at once: it does not listen.
  const ignore = (): void => {};
  server.on('error', ignore);
  try {
    server.listen({ fd: inherited, backlog: MAX_WAITING_CONNECTIONS });
  } catch {
    return -errno.EINVAL;
  }
  if (!server.listening) return -errno.EINVAL;
  const address = serverAddress(server) ?? unixAddress(inherited);
  const path = address.family === AF_UNIX ? address.path : '';
  const options = new SocketOptions();
  const wrap = (socket: Socket): StreamSocket =>
    StreamSocket.accepted(socket, address.family, settings, options.clone(), path);
  const bound = { address, listen: () => 0, close: () => {} };
  const listener = new Listener(server, address.family, options, MAX_WAITING_CONNECTIONS, wrap, bound);
  server.off('error', ignore);
  return listener;
}

/** Node does not report the path of a Unix socket that it did not bind; Linux does. Empty where neither does. */
function unixAddress(inherited: number): SocketAddress {
  return { family: AF_UNIX, path: unixPath(inherited) };
}

function unixPath(inherited: number): string {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${inherited}`))?.[1];
    const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
    // Num, references, protocol, flags, type, state, inode, path.
    const fields = lines.map((line) => /^(?:\S+ +){6}(\d+) (.*)$/.exec(line));
    return fields.find((found) => found?.[1] === inode)?.[2] ?? '';
  } catch {
    return '';
  }
}
