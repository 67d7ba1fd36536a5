// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, type SocketAddress } from '../../posix/address.js';
import { errno } from '../../posix/errno.js';
import type { Posix, SocketCalls } from '../../posix/posix.js';
import { isPeerAllowed, type PeerFilter } from '../replica-host.js';

export interface PeerCallsEvents {
  /** A connection was accepted while there is one; it is the taker's, who closes it. */
  surplus(fd: number): void;
  /** A connection was closed because its address is not allowed. */
  turnedAway(address: SocketAddress): void;
  /** A call on the way to a listening socket failed, with a negative errno. */
  cannotListen(call: 'socket' | 'bind' | 'listen', result: number): void;
}

type Calls = SocketCalls & Pick<Posix, 'resolve'>;

/**
 * The connect module's system calls, with what it does not do itself: peers are let in by address, and a connection that it
 * would close since it has one is handed on, to be told why.
 */
export function peerCalls(posix: Posix, filter: PeerFilter, events: PeerCallsEvents): Calls {
  let accepted: number | undefined;
  const noted = (call: 'socket' | 'bind' | 'listen', result: number): number => {
    if (result < 0) events.cannotListen(call, result);
    return result;
  };
  return {
    socket: (domain, type, protocol) => noted('socket', posix.socket(domain, type, protocol)),
    setsockopt: (fd, level, option, value) => posix.setsockopt(fd, level, option, value),
    getsockopt: (fd, level, option) => posix.getsockopt(fd, level, option),
    fcntl: (fd, command, argument) => posix.fcntl(fd, command, argument),
    bind: (fd, address) => noted('bind', posix.bind(fd, address)),
    listen: (fd, backlog) => noted('listen', posix.listen(fd, backlog)),
    accept: (fd) => {
      accepted = undefined;
      const connection = posix.accept(fd);
      if (connection < 0) return connection;
      const peer = posix.getpeername(connection);
      // Of one that was reset meanwhile nobody knows whether its address is allowed, but it may have sent something.
      if (typeof peer === 'number') {
        posix.close(connection);
        return -errno.ECONNABORTED;
      }
      if (!isAllowed(filter, peer)) {
        posix.close(connection);
        events.turnedAway(peer);
        return -errno.EACCES;
      }
      accepted = connection;
      return connection;
    },
    connect: (fd, address) => (isAllowed(filter, address) ? posix.connect(fd, address) : -errno.EACCES),
    close: (fd) => {
      if (fd !== accepted) return posix.close(fd);
      accepted = undefined;
      events.surplus(fd);
      return 0;
    },
    getaddrinfo: (host, port) => posix.getaddrinfo(host, port),
    resolve: (host, port) => posix.resolve(host, port),
  };
}

function isAllowed(filter: PeerFilter, address: SocketAddress): boolean {
  return address.family === AF_UNIX || isPeerAllowed(filter, address);
}
