// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, formatAddress, SOCK_STREAM, type SocketAddress } from '../posix/address.js';
import { errno } from '../posix/errno.js';
import { type Posix, SO_ERROR, SOL_SOCKET } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD, POLL_WRITE_FD } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { SILENCE_SECONDS, SilenceWatch } from '../server/silence.js';
import { ClientHandshake, type ExportFacts } from './client-handshake.js';
import { type PendingRequest, ReplyReader } from './client-replies.js';
import { MissingBytes } from './missing-bytes.js';
import { NbdError, errorName } from './nbd-error.js';
import {
  CMD_CACHE,
  CMD_DISC,
  CMD_FLAG_FUA,
  CMD_FLUSH,
  CMD_READ,
  CMD_TRIM,
  CMD_WRITE,
  CMD_WRITE_ZEROES,
} from './protocol.js';
import { Receiver } from './receiver.js';
import { encodeRequest } from './requests.js';
import { Sender } from './sender.js';

/** How many requests may wait for their replies; one more is refused with EAGAIN. */
export const MAX_PENDING_REQUESTS = 1024;

/** What a client works with, and which export it asks for. */
export interface NbdClientOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly address: SocketAddress;
  /** The server's default export unless given. */
  readonly exportName?: string;
}

const nothing = Buffer.alloc(0);

/**
 * A small NBD client on the scheduler: one connection, any number of requests at once, no TLS.
 *
 * Promises reject with an {@link NbdError}; its `code` names the server's errno. When the connection is lost all
 * of them do, and whatever is asked later; it is also lost (ETIMEDOUT) when the server's host has not responded for
 * `SILENCE_SECONDS`, whether something is being sent or not. A server that is merely slow is waited for.
 */
export class NbdClient {
  readonly #options: NbdClientOptions;
  readonly #fd: number;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #event: AwaitedEvent;
  #silence: SilenceWatch | undefined;
  #nextCookie = 0;
  /** Known before anybody is handed the client. */
  #facts!: ExportFacts;
  #lost: NbdError | undefined;
  #onLost: (error: NbdError) => void = () => {};

  private constructor(options: NbdClientOptions, fd: number) {
    this.#options = options;
    this.#fd = fd;
    this.#receiver = new Receiver(options.posix, fd);
    this.#event = new AwaitedEvent(options.registrar, 'NBD, client');
    this.#sender = new Sender(options.registrar, options.posix, fd, (error) =>
      this.#lose(connectionError(error)),
    );
  }

  /**
   * Connects and chooses an export.
   *
   * @throws (rejects with) NbdError: ENOENT when the server does not have it, EPROTO when it is no NBD server, else what
   *   connecting failed with
   */
  static async connect(options: NbdClientOptions): Promise<NbdClient> {
    const { posix, address } = options;
    const where = formatAddress(address);
    const fd = posix.socket(address.family, SOCK_STREAM);
    if (fd < 0) throw new NbdError('cannot open a socket', errorName(fd));
    const client = new NbdClient(options, fd);
    return new Promise((resolve, reject) => {
      client.#onLost = (error) =>
        reject(new NbdError(`cannot use the NBD server at ${where}: ${error.reason}`, error.code));
      const result = posix.connect(fd, address);
      if (result < 0 && result !== -errno.EINPROGRESS) client.#lose(connectionError(result));
      else {
        if (address.family !== AF_UNIX) client.#watchSilence();
        client.#await(POLL_WRITE_FD, () => client.#connected(resolve));
      }
    });
  }

  /** The disk's size in bytes, transmission flags and so on. */
  get facts(): ExportFacts {
    return this.#facts;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const data = Buffer.alloc(length);
    await this.#request(CMD_READ, `read of ${length} at ${offset}`, offset, length, { into: data });
    return data;
  }

  /** `data` must not change before the promise settles. */
  write(offset: number, data: Uint8Array, { forceUnitAccess = false } = {}): Promise<void> {
    const flags = forceUnitAccess ? CMD_FLAG_FUA : 0;
    return this.#request(CMD_WRITE, `write of ${data.length} at ${offset}`, offset, data.length, {
      flags,
      data,
    });
  }

  flush(): Promise<void> {
    return this.#request(CMD_FLUSH, 'flush', 0, 0);
  }
  trim(offset: number, length: number): Promise<void> {
    return this.#request(CMD_TRIM, `trim of ${length} at ${offset}`, offset, length);
  }
  writeZeroes(offset: number, length: number, flags = 0): Promise<void> {
    return this.#request(CMD_WRITE_ZEROES, `zeroes of ${length} at ${offset}`, offset, length, { flags });
  }
  cache(offset: number, length: number): Promise<void> {
    return this.#request(CMD_CACHE, `cache of ${length} at ${offset}`, offset, length);
  }

  /** Says goodbye and closes. What is still pending rejects with ECANCELED. */
  disconnect(): void {
    this.#sender.queue(
      encodeRequest({ command: CMD_DISC, flags: 0, cookie: { high: 0, low: 0 }, offset: 0, length: 0 }),
    );
    this.#sender.flush();
    this.#lose(new NbdError('the client has disconnected', 'ECANCELED'));
  }

  #watchSilence(): void {
    const { registrar, posix } = this.#options;
    this.#silence = new SilenceWatch({
      registrar,
      posix,
      fd: this.#fd,
      seconds: SILENCE_SECONDS,
      onSilent: () => this.#lose(connectionError(-errno.ETIMEDOUT)),
    });
  }

  #connected(resolve: (client: NbdClient) => void): void {
    const error = this.#options.posix.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR);
    if (error !== 0) {
      this.#lose(connectionError(error));
      return;
    }
    const onError = (reason: NbdError): void => this.#lose(reason);
    const replies = new ReplyReader({
      receiver: this.#receiver,
      find: (cookie) => this.#pending.get(cookie),
      finish: (cookie) => this.#pending.delete(cookie),
      onError,
    });
    const handshake = new ClientHandshake({
      receiver: this.#receiver,
      sender: this.#sender,
      exportName: this.#options.exportName ?? '',
      onDone: (facts) => {
        this.#facts = facts;
        this.#onLost = () => {};
        replies.expectReply();
        resolve(this);
      },
      onError,
    });
    handshake.start();
    this.#await(POLL_READ_FD, () => this.#readable());
  }

  #readable(): void {
    const result = this.#receiver.pump();
    if (result === 'end') this.#lose(new NbdError('the server has closed the connection', 'ECONNRESET'));
    else if (typeof result === 'number') this.#lose(connectionError(result));
  }

  async #request(
    command: number,
    what: string,
    offset: number,
    length: number,
    { flags = 0, data, into = nothing }: { flags?: number; data?: Uint8Array; into?: Buffer } = {},
  ): Promise<void> {
    if (this.#lost) throw this.#lost;
    if (this.#pending.size === MAX_PENDING_REQUESTS) {
      throw new NbdError(`${what}: ${MAX_PENDING_REQUESTS} requests are pending`, 'EAGAIN');
    }
    return new Promise((resolve, reject) => {
      const settle = (error: NbdError | undefined): void => (error ? reject(error) : resolve());
      const cookie = this.#newCookie();
      const missing = new MissingBytes(into.length);
      this.#pending.set(cookie, { what, offset, data: into, missing, error: undefined, settle });
      this.#sender.queue(encodeRequest({ command, flags, cookie: { high: 0, low: cookie }, offset, length }));
      if (data) this.#sender.queue(data);
      this.#sender.flush();
    });
  }

  #newCookie(): number {
    do this.#nextCookie = (this.#nextCookie + 1) >>> 0;
    while (this.#pending.has(this.#nextCookie));
    return this.#nextCookie;
  }

  /** Calls `call` when the descriptor is ready, instead of what was called before. */
  #await(mode: typeof POLL_READ_FD | typeof POLL_WRITE_FD, call: () => void): void {
    const result = this.#event.set(mode, this.#fd, 0, call);
    if (result < 0) this.#lose(connectionError(result));
  }

  #lose(reason: NbdError): void {
    if (this.#lost) return;
    this.#lost = reason;
    this.#receiver.close();
    this.#sender.close();
    this.#event.clear();
    this.#silence?.[Symbol.dispose]();
    this.#options.posix.close(this.#fd);
    this.#onLost(reason);
    for (const request of this.#pending.values()) request.settle(reason);
    this.#pending.clear();
  }
}

function connectionError(error: number): NbdError {
  return new NbdError('the connection is lost', errorName(error));
}
