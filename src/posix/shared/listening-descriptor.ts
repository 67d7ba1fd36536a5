// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Descriptor } from './descriptor.js';
import { errno } from '../errno.js';
import { SO_ERROR, SOL_SOCKET } from '../posix.js';
import type { SocketOptions } from './socket-options.js';

/** What the calls of every listening socket return, wherever its connections come from: it is no stream, and stays what it is. */
export abstract class ListeningDescriptor extends Descriptor {
  readonly #domain: number;
  readonly #options: SocketOptions;

  constructor(domain: number, options: SocketOptions) {
    super();
    this.#domain = domain;
    this.#options = options;
  }

  /** Listens with another backlog; a negative one is a very large one, as in Linux. */
  protected abstract setBacklog(backlog: number): void;

  /** The pending error, which is cleared, or 0. */
  protected abstract takeError(): number;

  override listen(backlog: number): number {
    if (!Number.isInteger(backlog)) return -errno.EINVAL;
    this.setBacklog(backlog);
    return 0;
  }

  override bind(): number {
    return -errno.EINVAL;
  }

  override connect(): number {
    return -errno.EISCONN;
  }

  override read(): number {
    return -errno.ENOTCONN;
  }

  override write(): number {
    return -errno.ENOTCONN;
  }

  override shutdown(): number {
    return -errno.ENOTCONN;
  }

  override getpeername(): number {
    return -errno.ENOTCONN;
  }

  override setsockopt(level: number, option: number, value: number): number {
    return this.#options.set(this.#domain, level, option, value);
  }

  override getsockopt(level: number, option: number): number {
    if (level === SOL_SOCKET && option === SO_ERROR) return this.takeError();
    return this.#options.get(this.#domain, level, option);
  }
}
