// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import { AF_UNIX } from '../address.js';
import { errno } from '../errno.js';
import { IPPROTO_TCP, SO_KEEPALIVE, SO_REUSEADDR, SOL_SOCKET, TCP_KEEPIDLE, TCP_NODELAY } from '../posix.js';

/** The longest TCP_KEEPIDLE, in seconds, as in Linux (MAX_TCP_KEEPIDLE). */
const MAX_KEEP_IDLE = 32_767;

/**
 * The options of one socket: kept here, and applied to the Node socket behind it whenever there is one.
 *
 * SO_REUSEADDR is kept only: Node sets it on every socket that it binds.
 */
export class SocketOptions {
  #reuseAddress = 0;
  #keepAlive = 0;
  #noDelay = 0;
  /** 0: never set. */
  #keepIdle = 0;

  /** A copy, as an accepted socket has of its listener's. */
  clone(): SocketOptions {
    const copy = new SocketOptions();
    copy.#reuseAddress = this.#reuseAddress;
    copy.#keepAlive = this.#keepAlive;
    copy.#noDelay = this.#noDelay;
    copy.#keepIdle = this.#keepIdle;
    return copy;
  }

  /** Any number but 0 turns an option on. Errors: -EINVAL, -ENOPROTOOPT, -EOPNOTSUPP for TCP's options without TCP. */
  set(domain: number, level: number, option: number, value: number): number {
    if (!Number.isInteger(value)) return -errno.EINVAL;
    const on = value === 0 ? 0 : 1;
    if (level === SOL_SOCKET && option === SO_REUSEADDR) this.#reuseAddress = on;
    else if (level === SOL_SOCKET && option === SO_KEEPALIVE) this.#keepAlive = on;
    else if (level === IPPROTO_TCP && option === TCP_NODELAY) {
      if (domain === AF_UNIX) return -errno.EOPNOTSUPP;
      this.#noDelay = on;
    } else if (level === IPPROTO_TCP && option === TCP_KEEPIDLE) {
      if (domain === AF_UNIX) return -errno.EOPNOTSUPP;
      if (value < 1 || value > MAX_KEEP_IDLE) return -errno.EINVAL;
      this.#keepIdle = value;
    } else return -errno.ENOPROTOOPT;
    return 0;
  }

  /** 0 or 1. Errors as for set, and -ENOPROTOOPT for TCP_KEEPIDLE: only the kernel knows what it is unless it was set. */
  get(domain: number, level: number, option: number): number {
    if (level === SOL_SOCKET && option === SO_REUSEADDR) return this.#reuseAddress;
    if (level === SOL_SOCKET && option === SO_KEEPALIVE) return this.#keepAlive;
    if (level === IPPROTO_TCP && option === TCP_NODELAY)
      return domain === AF_UNIX ? -errno.EOPNOTSUPP : this.#noDelay;
    return -errno.ENOPROTOOPT;
  }

  /** Puts the options in force; `fresh` skips what a new Node socket has anyway. */
  apply(socket: Socket, fresh: boolean): void {
    // With a time of its own, libuv also sets probes a second apart, TCP_KEEPALIVE_PROBES of them.
    if (!fresh || this.#keepAlive !== 0) socket.setKeepAlive(this.#keepAlive !== 0, this.#keepIdle * 1000);
    if (!fresh || this.#noDelay !== 0) socket.setNoDelay(this.#noDelay !== 0);
  }
}
