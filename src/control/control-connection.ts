// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import { ClientConnection } from '../server/client-connection.js';
import { ControlMessage, MESSAGE_BYTES } from './message.js';

/** No request takes longer in all, in seconds, however slowly its answer comes, unless one of its steps may. */
export const WHOLE_SECONDS = 30;

/** A client's connection to a control socket, made for one request. Every call returns a negative errno when it fails. */
export class ControlConnection implements Disposable {
  readonly #connection: ClientConnection;

  private constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  /**
   * See {@link ClientConnection.open}; -ETIMEDOUT after `timeoutSeconds` without progress, or the longer of it and
   * {@link WHOLE_SECONDS} in all.
   */
  static async open(posix: Posix, path: string, timeoutSeconds: number): Promise<ControlConnection | number> {
    const connection = await ClientConnection.open(posix, path, {
      stepSeconds: timeoutSeconds,
      wholeSeconds: Math.max(WHOLE_SECONDS, timeoutSeconds),
    });
    return typeof connection === 'number' ? connection : new ControlConnection(connection);
  }

  /** Sends a request. */
  send(message: ControlMessage): Promise<number> {
    return this.#connection.send(message.bytes);
  }

  /** The next message; -EPROTO when the connection ends before it is whole. */
  async receive(): Promise<ControlMessage | number> {
    const bytes = new Uint8Array(MESSAGE_BYTES);
    const received = await this.#connection.receive(bytes);
    if (received < 0) return received;
    return received < MESSAGE_BYTES ? -errno.EPROTO : new ControlMessage(bytes);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}
