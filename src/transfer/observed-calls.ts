// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { type Posix, SO_ERROR, type SocketCalls } from '../posix/posix.js';

/** What can be observed of the connect module's system calls. */
export interface CallObserver {
  /** A connect was called. */
  connects(): void;
  /** Whether a connection that was accepted is to be kept. One that is not is closed, and was none for the module. */
  admits(fd: number): boolean;
  /** A connection was accepted. */
  accepted(fd: number): void;
  /** A call failed, or a connect that was under way; `error` is a positive errno. */
  failed(call: string, error: number): void;
}

type Calls = SocketCalls & Pick<Posix, 'resolve'>;

/** The same calls, reported to an observer: the connect module itself only logs why a call failed. */
export function observedCalls(posix: Calls, observer: CallObserver): Calls {
  const observed = (call: string, answer: number): number => {
    if (answer < 0 && answer !== -errno.EINPROGRESS) observer.failed(call, -answer);
    return answer;
  };
  return {
    socket: (domain, type, protocol) => observed('socket', posix.socket(domain, type, protocol)),
    setsockopt: (fd, level, option, value) => posix.setsockopt(fd, level, option, value),
    getsockopt: (fd, level, option) => {
      const answer = posix.getsockopt(fd, level, option);
      if (option === SO_ERROR && answer > 0) observer.failed('connect', answer);
      return answer;
    },
    fcntl: (fd, command, argument) => posix.fcntl(fd, command, argument),
    bind: (fd, address) => observed('bind', posix.bind(fd, address)),
    listen: (fd, backlog) => observed('listen', posix.listen(fd, backlog)),
    accept: (listener) => {
      const fd = observed('accept', posix.accept(listener));
      if (fd < 0) return fd;
      if (!observer.admits(fd)) {
        posix.close(fd);
        return -errno.EAGAIN;
      }
      observer.accepted(fd);
      return fd;
    },
    connect: (fd, address) => {
      observer.connects();
      return observed('connect', posix.connect(fd, address));
    },
    close: (fd) => posix.close(fd),
    getaddrinfo: (host, port) => posix.getaddrinfo(host, port),
    resolve: (host, port) => posix.resolve(host, port),
  };
}
