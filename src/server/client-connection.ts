// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, SOCK_STREAM } from '../posix/address.js';
import { errno } from '../posix/errno.js';
import { type Posix, type SelectSets, SO_ERROR, SOL_SOCKET } from '../posix/posix.js';

/** How long a client waits, in seconds. */
export interface Patience {
  /** For each step: to be connected, or for the next byte to move. */
  readonly stepSeconds: number;
  /** For all of it, from {@link ClientConnection.open} on. No limit unless given. */
  readonly wholeSeconds?: number;
}

/**
 * A client's connection to a Unix socket that answers a request (C: tap_ctl_connect_id and what follows).
 *
 * It is for a program that does one thing after the other: each step waits, as in C, until its time is over. Every call
 * returns a negative errno when it fails; -ETIMEDOUT when the client's patience has ended.
 */
export class ClientConnection implements Disposable {
  readonly #posix: Posix;
  readonly #fd: number;
  readonly #stepSeconds: number;
  readonly #deadline: number;

  private constructor(posix: Posix, fd: number, { stepSeconds, wholeSeconds = Infinity }: Patience) {
    this.#posix = posix;
    this.#fd = fd;
    this.#stepSeconds = stepSeconds;
    this.#deadline = posix.clock.now() + wholeSeconds;
  }

  /** The connection, or a negative errno: -ENOENT without a socket, -ECONNREFUSED when nobody serves it. */
  static async open(posix: Posix, path: string, patience: Patience): Promise<ClientConnection | number> {
    const fd = posix.socket(AF_UNIX, SOCK_STREAM);
    if (fd < 0) return fd;
    const connection = new ClientConnection(posix, fd, patience);
    const result = await connection.#connect(path);
    if (result === 0) return connection;
    connection[Symbol.dispose]();
    return result;
  }

  /** Sends all bytes: 0, or a negative errno. */
  async send(bytes: Uint8Array): Promise<number> {
    for (let rest = bytes; rest.length > 0;) {
      const count = this.#posix.write(this.#fd, rest);
      if (count >= 0) rest = rest.subarray(count);
      else if (count !== -errno.EAGAIN) return count;
      else {
        const ready = await this.#wait({ write: [this.#fd] });
        if (ready < 0) return ready;
      }
    }
    return 0;
  }

  /** Fills the buffer, unless the connection ends before: how many bytes came, or a negative errno. */
  async receive(buffer: Uint8Array): Promise<number> {
    let received = 0;
    while (received < buffer.length) {
      const count = this.#posix.read(this.#fd, buffer.subarray(received));
      if (count > 0) received += count;
      else if (count === 0) break;
      else if (count !== -errno.EAGAIN) return count;
      else {
        const ready = await this.#wait({ read: [this.#fd] });
        if (ready < 0) return ready;
      }
    }
    return received;
  }

  [Symbol.dispose](): void {
    this.#posix.close(this.#fd);
  }

  async #connect(path: string): Promise<number> {
    const started = this.#posix.connect(this.#fd, { family: AF_UNIX, path });
    if (started !== -errno.EINPROGRESS) return started;
    const ready = await this.#wait({ write: [this.#fd] });
    if (ready < 0) return ready;
    const outcome = this.#posix.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR);
    return outcome > 0 ? -outcome : outcome;
  }

  /** 0 once the descriptor is ready. */
  async #wait(sets: SelectSets): Promise<number> {
    const seconds = Math.min(this.#stepSeconds, this.#deadline - this.#posix.clock.now());
    if (seconds <= 0) return -errno.ETIMEDOUT;
    const ready = await this.#posix.select(sets, seconds);
    if (typeof ready === 'number') return ready;
    return ready.read.length + ready.write.length > 0 ? 0 : -errno.ETIMEDOUT;
  }
}
