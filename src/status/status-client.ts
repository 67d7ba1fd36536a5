// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, SOCK_STREAM } from '../posix/address.js';
import { errno, errnoCode, inWords } from '../posix/errno.js';
import { type Posix, SO_ERROR, SOL_SOCKET } from '../posix/posix.js';
import { checkSocketPath } from './status-directory.js';
import { MAX_ANSWER_BYTES, STATUS_REQUEST } from './status-protocol.js';

/** How long a program may take for its answer, in seconds, all in all. */
export const QUERY_TIMEOUT_SECONDS = 2;
const READ_BYTES = 4096;

/** Nobody answered, or not with a status. `code` is an errno's name: ECONNREFUSED and ENOENT when nobody serves the socket. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Asks for the status on a socket.
 *
 * @throws (rejects with) StatusError
 */
export async function queryStatus(
  posix: Posix,
  path: string,
  timeoutSeconds: number = QUERY_TIMEOUT_SECONDS,
): Promise<object> {
  try {
    checkSocketPath(path);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new StatusError(code, message, { cause: error });
  }
  const fd = posix.socket(AF_UNIX, SOCK_STREAM);
  check(fd, path);
  try {
    return await new Query(posix, fd, path, timeoutSeconds).run();
  } finally {
    posix.close(fd);
  }
}

class Query {
  readonly #posix: Posix;
  readonly #fd: number;
  readonly #path: string;
  readonly #deadline: number;

  constructor(posix: Posix, fd: number, path: string, timeoutSeconds: number) {
    this.#posix = posix;
    this.#fd = fd;
    this.#path = path;
    this.#deadline = posix.clock.now() + timeoutSeconds;
  }

  async run(): Promise<object> {
    await this.#connect();
    // A line fits into any send buffer.
    check(this.#posix.write(this.#fd, Buffer.from(STATUS_REQUEST)), this.#path);
    return this.#parse(await this.#readAll());
  }

  async #connect(): Promise<void> {
    const answer = this.#posix.connect(this.#fd, { family: AF_UNIX, path: this.#path });
    if (answer === 0) return;
    if (answer !== -errno.EINPROGRESS) check(answer, this.#path);
    await this.#ready('write');
    check(-this.#posix.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR), this.#path);
  }

  async #readAll(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let length = 0; length <= MAX_ANSWER_BYTES;) {
      const piece = Buffer.alloc(READ_BYTES);
      const count = this.#posix.read(this.#fd, piece);
      if (count === 0) return Buffer.concat(pieces);
      if (count === -errno.EAGAIN) {
        await this.#ready('read');
        continue;
      }
      check(count, this.#path);
      pieces.push(piece.subarray(0, count));
      length += count;
    }
    throw new StatusError('EMSGSIZE', `${this.#path}: the answer has more than ${MAX_ANSWER_BYTES} bytes`);
  }

  async #ready(what: 'read' | 'write'): Promise<void> {
    const seconds = this.#deadline - this.#posix.clock.now();
    const ready = seconds <= 0 ? undefined : await this.#posix.select({ [what]: [this.#fd] }, seconds);
    if (typeof ready === 'number') check(ready, this.#path);
    else if (ready === undefined || ready[what].length === 0) {
      throw new StatusError('ETIMEDOUT', `${this.#path}: no answer in time`);
    }
  }

  #parse(answer: Buffer): object {
    if (answer.length === 0) throw new StatusError('ECONNRESET', `${this.#path}: closed without an answer`);
    try {
      const status: unknown = JSON.parse(answer.toString());
      if (typeof status === 'object' && status !== null) return status;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw new StatusError('EPROTO', `${this.#path}: the answer is no status`);
  }
}

function check(answer: number, path: string): void {
  if (answer < 0) throw new StatusError(errnoCode(answer), `${path}: ${inWords(-answer)}`);
}
