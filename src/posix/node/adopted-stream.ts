// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import { formatAddress, type SocketAddress } from '../address.js';
import { Channel, type ChannelSettings } from './channel.js';
import { Descriptor } from '../shared/descriptor.js';
import { errno } from '../errno.js';
import { socketEnds } from './node-address.js';
import type { NodeObject, NodeStream } from '../shared/node-object.js';
import { type SentDone, SO_ERROR, SOL_SOCKET } from '../posix.js';
import { SocketOptions } from '../shared/socket-options.js';

/**
 * A Node stream that was made elsewhere and adopted as a descriptor (rule D5): a child's output, a file, a TLS socket.
 *
 * It is a byte stream that is connected already; a net.Socket that still connects becomes ready when it has. Calls for
 * sockets work on net.Socket and what is derived from it, and return -ENOTSOCK on anything else.
 */
export class AdoptedStream extends Descriptor {
  readonly #stream: NodeStream;
  readonly #channel: Channel;
  readonly #options = new SocketOptions();
  readonly #halfOpen: boolean;

  constructor(stream: NodeStream, settings: ChannelSettings) {
    super();
    this.#stream = stream;
    this.#halfOpen = allowHalfOpen(stream, true);
    this.#channel = new Channel(stream, settings, () => this.#update());
    if (this.#connecting) stream.once('connect', this.#onConnect);
    this.#update();
  }

  readonly #onConnect = (): void => {
    this.#update();
  };

  override describe(): string {
    const name = `adopted ${this.#stream.constructor.name}`;
    if (!(this.#stream instanceof Socket) || this.#stream.remoteAddress === undefined) return name;
    const { local, peer } = socketEnds(this.#stream);
    return `${name} ${formatAddress(local)} -> ${peer ? formatAddress(peer) : '?'}`;
  }

  override interestChanged(conditions: number): void {
    this.#channel.interestChanged(conditions);
    this.#update();
  }

  override read(buffer: Uint8Array): number {
    return this.#connecting ? -errno.EAGAIN : this.#updated(this.#channel.read(buffer));
  }

  override write(bytes: Uint8Array): number {
    return this.#connecting ? -errno.EAGAIN : this.#updated(this.#channel.write(bytes));
  }

  override take(): Uint8Array | number {
    return this.#connecting ? -errno.EAGAIN : this.#updated(this.#channel.take());
  }

  override send(parts: readonly Uint8Array[], sent: SentDone): number {
    return this.#connecting ? -errno.EAGAIN : this.#updated(this.#channel.send(parts, sent));
  }

  override bind(address: SocketAddress): number {
    return this.#socket === undefined ? super.bind(address) : -errno.EINVAL;
  }

  override listen(backlog: number): Descriptor | number {
    return this.#socket === undefined ? super.listen(backlog) : -errno.EINVAL;
  }

  override accept(open: (connection: Descriptor) => number): number {
    return this.#socket === undefined ? super.accept(open) : -errno.EINVAL;
  }

  override connect(address: SocketAddress): number {
    if (this.#socket === undefined) return super.connect(address);
    return this.#connecting ? -errno.EALREADY : -errno.EISCONN;
  }

  override shutdown(how: number): number {
    return this.#socket === undefined ? super.shutdown(how) : this.#channel.shutdown(how);
  }

  override getsockname(): SocketAddress | number {
    return this.#socket === undefined ? -errno.ENOTSOCK : socketEnds(this.#socket).local;
  }

  override getpeername(): SocketAddress | number {
    if (this.#socket === undefined) return -errno.ENOTSOCK;
    const peer = this.#connecting ? undefined : socketEnds(this.#socket).peer;
    return peer ?? -errno.ENOTCONN;
  }

  override setsockopt(level: number, option: number, value: number): number {
    if (this.#socket === undefined) return -errno.ENOTSOCK;
    const outcome = this.#options.set(socketEnds(this.#socket).local.family, level, option, value);
    if (outcome === 0) this.#options.apply(this.#socket, false);
    return outcome;
  }

  override getsockopt(level: number, option: number): number {
    if (this.#socket === undefined) return -errno.ENOTSOCK;
    if (level === SOL_SOCKET && option === SO_ERROR) return this.#channel.takeError();
    return this.#options.get(socketEnds(this.#socket).local.family, level, option);
  }

  override nodeObject(): NodeObject {
    return this.#channel.lend();
  }

  override release(): void {
    this.#channel.release();
    this.#stream.off('connect', this.#onConnect);
    allowHalfOpen(this.#stream, this.#halfOpen);
  }

  override close(): void {
    this.#channel.close();
  }
  override abort(): void {
    this.#channel.abort();
  }
  override unsent(): number {
    return this.#channel.unsent();
  }

  get #socket(): Socket | undefined {
    return this.#stream instanceof Socket ? this.#stream : undefined;
  }

  /** Also a socket that nobody has told where to connect yet. */
  get #connecting(): boolean {
    return this.#stream instanceof Socket && this.#stream.pending && !this.#stream.destroyed;
  }

  #updated<Answer>(answer: Answer): Answer {
    this.#update();
    return answer;
  }

  #update(): void {
    this.setReady(this.#connecting ? 0 : this.#channel.ready);
  }
}

/** Whether the stream's writing side outlives its reading side, and sets it. */
function allowHalfOpen(stream: NodeStream, allowed: boolean): boolean {
  if (!('allowHalfOpen' in stream) || typeof stream.allowHalfOpen !== 'boolean') return false;
  const before = stream.allowHalfOpen;
  stream.allowHalfOpen = allowed;
  return before;
}
