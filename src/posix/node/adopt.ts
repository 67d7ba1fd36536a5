// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Server, type Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { MAX_WAITING_CONNECTIONS } from './accept-queue.js';
import { AF_INET, AF_INET6, AF_UNIX } from '../address.js';
import { AdoptedStream } from './adopted-stream.js';
import type { ChannelSettings } from './channel.js';
import type { Descriptor } from '../shared/descriptor.js';
import { errno } from '../errno.js';
import { Listener } from './listener.js';
import type { NodeObject } from '../shared/node-object.js';
import { SocketOptions } from '../shared/socket-options.js';

/**
 * The descriptor of a Node object (rule D5).
 * Errors: -EINVAL for anything but a stream of bytes or a net.Server, also for a stream with an encoding; -EBADF for a stream
 * that is destroyed; -EBUSY for what is a descriptor already.
 */
export function adoptedDescriptor(
  object: NodeObject,
  settings: ChannelSettings,
  isTaken: () => boolean,
): Descriptor | number {
  if (object instanceof Server) return isTaken() ? -errno.EBUSY : adoptedServer(object, settings);
  const readable = object instanceof Readable;
  const writable = object instanceof Writable;
  if (!readable && !writable) return -errno.EINVAL;
  if ((readable && object.readableObjectMode) || (writable && object.writableObjectMode))
    return -errno.EINVAL;
  // Text has lost what is not of its encoding.
  if (readable && object.readableEncoding !== null) return -errno.EINVAL;
  if (object.destroyed) return -errno.EBADF;
  return isTaken() ? -errno.EBUSY : new AdoptedStream(object, settings);
}

/** A server created elsewhere: its connections are accepted as adopted sockets. */
function adoptedServer(server: Server, settings: ChannelSettings): Listener {
  const address = server.address();
  const path = typeof address === 'string' || address === null;
  const domain = path ? AF_UNIX : address.family === 'IPv4' ? AF_INET : AF_INET6;
  return new Listener(
    server,
    domain,
    new SocketOptions(),
    MAX_WAITING_CONNECTIONS,
    (socket: Socket) => new AdoptedStream(socket, settings),
  );
}
