// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, SOCK_STREAM } from '../posix/address.js';
import { errno } from '../posix/errno.js';
import { type Posix, type SelectSets, SO_ERROR, SOL_SOCKET } from '../posix/posix.js';
import { ControlMessage, MESSAGE_BYTES } from './message.js';

/**
 * A client's connection to a control socket, made for one request (C: tap_ctl_connect_id and what follows).
 *
 * It is for a program that does one thing after the other: each step waits, as in C, until its time is over. Every call
 * answers a negative errno when it fails; -ETIMEDOUT after `timeoutSeconds` without progress.
 */
export class ControlConnection implements Disposable {
  readonly #posix: Posix;
  readonly #fd: number;
  readonly #timeoutSeconds: number;

  private constructor(posix: Posix, fd: number, timeoutSeconds: number) {
    this.#posix = posix;
    this.#fd = fd;
    this.#timeoutSeconds = timeoutSeconds;
  }

  /** The connection, or a negative errno: -ENOENT without a socket, -ECONNREFUSED when nobody serves it. */
  static async open(posix: Posix, path: string, timeoutSeconds: number): Promise<ControlConnection | number> {
    const fd = posix.socket(AF_UNIX, SOCK_STREAM);
    if (fd < 0) return fd;
    const connection = new ControlConnection(posix, fd, timeoutSeconds);
    const result = await connection.#connect(path);
    if (result === 0) return connection;
    connection[Symbol.dispose]();
    return result;
  }

  /** Sends a request. */
  async send(message: ControlMessage): Promise<number> {
    for (let rest = message.bytes; rest.length > 0;) {
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

  /** The next message; -EPROTO when the connection ends before it is whole. */
  async receive(): Promise<ControlMessage | number> {
    const bytes = new Uint8Array(MESSAGE_BYTES);
    for (let received = 0; received < MESSAGE_BYTES;) {
      const count = this.#posix.read(this.#fd, bytes.subarray(received));
      if (count > 0) received += count;
      else if (count === 0) return -errno.EPROTO;
      else if (count !== -errno.EAGAIN) return count;
      else {
        const ready = await this.#wait({ read: [this.#fd] });
        if (ready < 0) return ready;
      }
    }
    return new ControlMessage(bytes);
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
    const ready = await this.#posix.select(sets, this.#timeoutSeconds);
    if (typeof ready === 'number') return ready;
    return ready.read.length + ready.write.length > 0 ? 0 : -errno.ETIMEDOUT;
  }
}
