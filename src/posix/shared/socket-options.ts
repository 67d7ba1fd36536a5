// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import { AF_UNIX } from '../address.js';
import { errno } from '../errno.js';
import { IPPROTO_TCP, SO_KEEPALIVE, SO_REUSEADDR, SOL_SOCKET, TCP_NODELAY } from '../posix.js';

/**
 * The options of one socket: kept here, and applied to the Node socket behind it whenever there is one.
 *
 * SO_REUSEADDR is kept only: Node sets it on every socket that it binds.
 */
export class SocketOptions {
  #reuseAddress = 0;
  #keepAlive = 0;
  #noDelay = 0;

  /** A copy, as an accepted socket has of its listener's. */
  clone(): SocketOptions {
    const copy = new SocketOptions();
    copy.#reuseAddress = this.#reuseAddress;
    copy.#keepAlive = this.#keepAlive;
    copy.#noDelay = this.#noDelay;
    return copy;
  }

  /** Any number but 0 turns an option on. Errors: -EINVAL, -ENOPROTOOPT, -EOPNOTSUPP for TCP_NODELAY without TCP. */
  set(domain: number, level: number, option: number, value: number): number {
    if (!Number.isInteger(value)) return -errno.EINVAL;
    const on = value === 0 ? 0 : 1;
    if (level === SOL_SOCKET && option === SO_REUSEADDR) this.#reuseAddress = on;
    else if (level === SOL_SOCKET && option === SO_KEEPALIVE) this.#keepAlive = on;
    else if (level === IPPROTO_TCP && option === TCP_NODELAY) {
      if (domain === AF_UNIX) return -errno.EOPNOTSUPP;
      this.#noDelay = on;
    } else return -errno.ENOPROTOOPT;
    return 0;
  }

  /** 0 or 1. Errors as for set. */
  get(domain: number, level: number, option: number): number {
    if (level === SOL_SOCKET && option === SO_REUSEADDR) return this.#reuseAddress;
    if (level === SOL_SOCKET && option === SO_KEEPALIVE) return this.#keepAlive;
    if (level === IPPROTO_TCP && option === TCP_NODELAY)
      return domain === AF_UNIX ? -errno.EOPNOTSUPP : this.#noDelay;
    return -errno.ENOPROTOOPT;
  }

  /** Puts the options in force; `fresh` skips what a new Node socket has anyway. */
  apply(socket: Socket, fresh: boolean): void {
    if (!fresh || this.#keepAlive !== 0) socket.setKeepAlive(this.#keepAlive !== 0);
    if (!fresh || this.#noDelay !== 0) socket.setNoDelay(this.#noDelay !== 0);
  }
}
