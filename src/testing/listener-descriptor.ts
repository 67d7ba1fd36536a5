// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, formatAddress, type SocketAddress } from '../posix/address.js';
import type { Descriptor } from '../posix/shared/descriptor.js';
import { errno } from '../posix/errno.js';
import { ListeningDescriptor } from '../posix/shared/listening-descriptor.js';
import { READABLE } from '../posix/poller.js';
import type { SocketOptions } from '../posix/shared/socket-options.js';
import { Endpoint } from './endpoint.js';
import type { Machine, SynReceiver } from './machine.js';

/** Connections that a listener has answered and that have not been confirmed; more are dropped (Linux's SYN queue). */
const MAX_HALF_OPEN = 256;
/** Linux's somaxconn. */
const MAX_BACKLOG = 4096;

interface Waiting {
  readonly endpoint: Endpoint;
  readonly descriptor: Descriptor;
}

/** A simulated listening socket: ready to be read while a connection waits, never to be written. */
export class ListenerDescriptor extends ListeningDescriptor implements SynReceiver {
  readonly #machine: Machine;
  readonly #local: SocketAddress;
  /** As in Linux, one connection more than this may wait. */
  #backlog: number;
  /** What was answered and not confirmed, by the client's end. */
  readonly #halfOpen = new Map<Endpoint, Endpoint>();
  readonly #waiting: Waiting[] = [];
  readonly #wrap: (endpoint: Endpoint) => Descriptor;

  /** @param wrap makes the descriptor of a connection */
  constructor(
    machine: Machine,
    local: SocketAddress,
    options: SocketOptions,
    backlog: number,
    wrap: (endpoint: Endpoint) => Descriptor,
  ) {
    super(local.family, options);
    this.#wrap = wrap;
    this.#machine = machine;
    this.#local = local;
    this.#backlog = clampBacklog(backlog);
  }

  override describe(): string {
    const kind = this.#local.family === AF_UNIX ? 'unix' : 'tcp';
    return `${kind} listening ${formatAddress(this.#local)}`;
  }

  override close(): void {
    this.#machine.unlisten(this.#local);
    this.#machine.releasePort(this.#local);
    for (const endpoint of [...this.#halfOpen.values()]) endpoint.reset();
    for (const { endpoint, descriptor } of this.#waiting) {
      endpoint.reset();
      descriptor.close();
    }
  }

  receiveSyn(from: Endpoint): void {
    const answered = this.#halfOpen.get(from);
    if (answered !== undefined) return answered.answerAgain();
    if (this.#isFull || this.#halfOpen.size >= MAX_HALF_OPEN) return from.lost();
    const local = this.#local.family === AF_UNIX ? this.#local : from.remote;
    const endpoint = Endpoint.answer(this.#machine, local, from);
    this.#machine.keep(endpoint);
    this.#halfOpen.set(from, endpoint);
    endpoint.admit = () => this.#admit(from, endpoint);
    endpoint.changed = () => {
      if (endpoint.state === 'gone') this.#halfOpen.delete(from);
    };
  }

  protected override setBacklog(backlog: number): void {
    this.#backlog = clampBacklog(backlog);
  }

  protected override takeError(): number {
    return 0;
  }

  override accept(open: (connection: Descriptor) => number): number {
    const first = this.#waiting[0];
    if (first === undefined) return -errno.EAGAIN;
    const fd = open(first.descriptor);
    if (fd >= 0) this.#waiting.shift();
    this.#refresh();
    return fd;
  }

  override getsockname(): SocketAddress {
    return this.#local;
  }

  get #isFull(): boolean {
    return this.#waiting.length > this.#backlog;
  }

  #admit(from: Endpoint, endpoint: Endpoint): boolean {
    if (this.#isFull) return false;
    this.#halfOpen.delete(from);
    this.#waiting.push({ endpoint, descriptor: this.#wrap(endpoint) });
    this.#refresh();
    return true;
  }

  #refresh(): void {
    this.setReady(this.#waiting.length > 0 ? READABLE : 0);
  }
}

/** As in Linux, a negative backlog is a very large one. */
function clampBacklog(backlog: number): number {
  return backlog < 0 ? MAX_BACKLOG : Math.min(backlog, MAX_BACKLOG);
}
