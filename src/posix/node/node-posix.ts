// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from '../buffers.js';
import type { InetAddress, SocketAddress } from '../address.js';
import { adoptedDescriptor } from './adopt.js';
import { checkStreamSocket } from '../shared/check-stream-socket.js';
import type { Clock } from '../clock.js';
import { DescriptorTable } from '../shared/descriptor-table.js';
import type { Descriptor } from '../shared/descriptor.js';
import { errno } from '../errno.js';
import { Alarm } from './alarm.js';
import { inheritedListener } from './inherited.js';
import { TimerDescriptor } from '../shared/timer-descriptor.js';
import { EventCounter } from '../shared/event-counter.js';
import { NameResolver } from '../shared/name-resolver.js';
import type { NodeObject } from '../shared/node-object.js';
import { withDefaults, type NodePosixOptions } from './node-posix-options.js';
import { NodePoller } from './node-poller.js';
import type { Poller } from '../poller.js';
import type { Posix, SelectSets, SentDone } from '../posix.js';
import { ConnectionTables } from './retransmissions.js';
import { selectOnce } from '../shared/select-once.js';
import { SendSlab } from './send-slab.js';
import { StreamSocket, type SocketSettings } from './stream-socket.js';

/**
 * The descriptors and calls of {@link Posix} over Node's own sockets.
 *
 * Errors are returned, never thrown, whatever the arguments: what is not an open number is -EBADF, what is not a
 * Uint8Array is -EFAULT.
 */
export class NodePosix implements Posix {
  readonly clock: Clock;
  readonly #table: DescriptorTable;
  readonly #settings: SocketSettings;
  readonly #kernel: ConnectionTables;
  readonly #names: NameResolver;
  /** The owner of a Node object, once it has been handed out. */
  readonly #owners = new WeakMap<NodeObject, Descriptor>();

  /** @throws RangeError for an option that is out of its range */
  constructor(options: NodePosixOptions = {}) {
    const { clock, maxDescriptors, lookup, ...settings } = withDefaults(options);
    this.clock = clock;
    this.#kernel = new ConnectionTables(clock);
    this.#table = new DescriptorTable(maxDescriptors);
    this.#names = new NameResolver(lookup);
    this.#settings = { ...settings, slab: new SendSlab() };
  }

  socket(domain: number, type: number, protocol = 0): number {
    const fault = checkStreamSocket(domain, type, protocol);
    return fault < 0 ? fault : this.#table.open(new StreamSocket(domain, this.#settings));
  }

  setsockopt(fd: number, level: number, option: number, value: number): number {
    return this.#table.get(fd)?.setsockopt(level, option, value) ?? -errno.EBADF;
  }

  getsockopt(fd: number, level: number, option: number): number {
    return this.#table.get(fd)?.getsockopt(level, option) ?? -errno.EBADF;
  }

  fcntl(fd: number, command: number, argument = 0): number {
    return this.#table.get(fd)?.fcntl(command, argument) ?? -errno.EBADF;
  }

  /**
   * As {@link SocketCalls.bind}. A Unix path is created at once, is -EADDRINUSE when it exists, and is removed when the
   * descriptor is closed (C leaves it); a bound Unix socket can listen, and not connect (-EOPNOTSUPP). Further errors:
   * -EFAULT for anything but an address, -EINVAL for a malformed one, -ENAMETOOLONG, -ENOENT.
   */
  bind(fd: number, address: SocketAddress): number {
    return this.#table.get(fd)?.bind(address) ?? -errno.EBADF;
  }

  /**
   * As {@link SocketCalls.listen}. Node takes connections from the kernel by itself; at least
   * {@link MIN_WAITING_CONNECTIONS} and at most {@link MAX_WAITING_CONNECTIONS} of them wait for accept, in between as many
   * as `backlog` says, and one beyond is reset. An unbound TCP socket gets a port on all addresses.
   */
  listen(fd: number, backlog: number): number {
    const outcome = this.#table.get(fd)?.listen(backlog) ?? -errno.EBADF;
    if (typeof outcome === 'number') return outcome;
    this.#table.replace(fd, outcome);
    return 0;
  }

  accept(fd: number): number {
    return this.#table.get(fd)?.accept((connection) => this.#table.open(connection)) ?? -errno.EBADF;
  }

  /**
   * As {@link SocketCalls.connect}. What the network or the path has to say comes through SO_ERROR, for Unix sockets too
   * (-ENOENT, -ECONNREFUSED, which the kernel returns at once). At once come -EFAULT, -EINVAL, -EAFNOSUPPORT,
   * -ENAMETOOLONG.
   */
  connect(fd: number, address: SocketAddress): number {
    return this.#table.get(fd)?.connect(address) ?? -errno.EBADF;
  }

  /**
   * As {@link Posix.read}. A reset after unread bytes is reported after them. After our own SHUT_WR a reset that comes together
   * with the last bytes may look like an end of file, since libuv reports nothing else.
   */
  read(fd: number, buffer: Uint8Array): number {
    const descriptor = this.#table.get(fd);
    if (descriptor === undefined) return -errno.EBADF;
    return buffer instanceof Uint8Array ? descriptor.read(buffer) : -errno.EFAULT;
  }

  /**
   * As {@link Posix.write}; what was taken is with the kernel already or in the send buffer, a bounded one. On a stream
   * that is no socket a pending error is returned once (-ENOSPC), then -EPIPE.
   */
  write(fd: number, bytes: Uint8Array): number {
    const descriptor = this.#table.get(fd);
    if (descriptor === undefined) return -errno.EBADF;
    return bytes instanceof Uint8Array ? descriptor.write(bytes) : -errno.EFAULT;
  }

  take(fd: number): Uint8Array | number {
    return this.#table.get(fd)?.take() ?? -errno.EBADF;
  }

  send(fd: number, parts: readonly Uint8Array[], sent: SentDone): number {
    return this.#table.get(fd)?.send(parts, sent) ?? -errno.EBADF;
  }

  dedicate(fd: number, buffers?: BufferPool<Buffer>): number {
    return this.#table.get(fd)?.dedicate(buffers) ?? -errno.EBADF;
  }

  shutdown(fd: number, how: number): number {
    return this.#table.get(fd)?.shutdown(how) ?? -errno.EBADF;
  }

  /**
   * As {@link SocketCalls.close}. What write took keeps the process alive until it is with the kernel, the peer resets, or
   * nothing at all could be sent for the linger time; then the peer gets a reset. `process.exit` does not wait for it.
   * Bytes that came and were not read do not turn the end of file into a reset, as they do in C. Connections that wait at
   * a listener are reset.
   */
  close(fd: number): number {
    const descriptor = this.#table.remove(fd);
    if (descriptor === undefined) return -errno.EBADF;
    descriptor.close();
    return 0;
  }

  abort(fd: number): number {
    const descriptor = this.#table.remove(fd);
    if (descriptor === undefined) return -errno.EBADF;
    descriptor.abort();
    return 0;
  }

  unsent(fd: number): number {
    return this.#table.get(fd)?.unsent() ?? -errno.EBADF;
  }

  getsockname(fd: number): SocketAddress | number {
    return this.#table.get(fd)?.getsockname() ?? -errno.EBADF;
  }

  getpeername(fd: number): SocketAddress | number {
    return this.#table.get(fd)?.getpeername() ?? -errno.EBADF;
  }

  /**
   * How often in a row the kernel has sent a TCP connection's bytes, or a probe, without an answer, as of the last second; 0
   * when it has not, and where that is not known.
   */
  retransmissions(fd: number): number {
    const [local, peer] = [this.getsockname(fd), this.getpeername(fd)];
    return typeof local === 'number' || typeof peer === 'number'
      ? 0
      : this.#kernel.retransmissions(local, peer);
  }

  getaddrinfo(host: string, port: string): readonly InetAddress[] | number {
    return this.#names.getaddrinfo(host, port);
  }

  resolve(host: string, port: string): Promise<readonly InetAddress[] | number> {
    return this.#names.resolve(host, port);
  }

  /** Errors: -EINVAL for an initial value that is not an unsigned 32-bit integer, -EMFILE. */
  eventfd(initial = 0): number {
    const counter = EventCounter.create(initial);
    return typeof counter === 'number' ? counter : this.#table.open(counter);
  }

  timerfd(): number {
    const { timers } = this.#settings;
    return this.#table.open(
      new TimerDescriptor((wake) => {
        const alarm = new Alarm(timers, wake);
        return { start: (seconds) => alarm.set(timers.now() + seconds * 1000), stop: () => alarm.close() };
      }),
    );
  }

  timerfdSettime(fd: number, seconds: number): number {
    return this.#table.get(fd)?.setTimer(seconds) ?? -errno.EBADF;
  }

  createPoller(): Poller {
    return new NodePoller(this.#table, this.#settings.timers);
  }

  /** Errors: -EBADF for a number that is not open, -EINVAL for a timeout that is negative or not a number. */
  select(sets: SelectSets, timeoutSeconds: number): Promise<Required<SelectSets> | number> {
    return selectOnce(this.createPoller(), sets, timeoutSeconds);
  }

  openDescriptors(): readonly { readonly fd: number; readonly description: string }[] {
    return this.#table.entries().map(({ fd, descriptor }) => ({ fd, description: descriptor.describe() }));
  }

  /**
   * Makes a descriptor of a Node stream or server (rule D5): net.Socket, net.Server, a child's output, a file stream, a
   * TLS socket, anything Readable or Writable that carries bytes.
   *
   * Its `error` events are the descriptor's from now on. A stream's reading side starts with READ interest or read.
   * While another reader takes its bytes, by a pipe or a listener for `data` that was there first, read is -EBUSY.
   * Errors: -EINVAL for anything else, -EBADF for a destroyed stream, -EBUSY for one that is a descriptor already, -EMFILE.
   */
  adopt(object: NodeObject): number {
    const descriptor = adoptedDescriptor(
      object,
      this.#settings,
      () => this.#owners.get(object)?.place !== undefined,
    );
    if (typeof descriptor === 'number') return descriptor;
    this.#owners.set(object, descriptor);
    const fd = this.#table.open(descriptor);
    if (fd < 0) descriptor.release();
    return fd;
  }

  /**
   * Makes a descriptor of a listening stream socket that the process was started with, under the number `inherited`, as
   * systemd passes them. The process's own number is in its hands from then on; a Unix socket's file is not.
   *
   * @returns -EINVAL for any other socket, -EMFILE
   */
  inherit(inherited: number): number {
    const listener = inheritedListener(inherited, this.#settings);
    if (typeof listener === 'number') return listener;
    const fd = this.#table.open(listener);
    if (fd < 0) listener.close();
    return fd;
  }

  /**
   * The Node object behind a descriptor (rule D5): net.Socket, net.Server, or what was adopted; undefined for a number
   * that is not open and for an eventfd. Before a connect it is the socket that will dial.
   *
   * Every byte that was read ahead is put back, and nothing takes bytes or connections from the object until read,
   * accept or new READ interest does. `error` events go on being recorded for the descriptor: until {@link release} an
   * error that its user does not listen for is no unhandled one. Half-open connections are allowed: at the peer's end of
   * file the writing side stays open until it is ended.
   *
   * After an end of file that came before all bytes were read, it is a new stream that reads the rest and writes to the
   * original, because Node takes no byte back by then.
   */
  nodeObject(fd: number): NodeObject | undefined {
    const descriptor = this.#table.get(fd);
    const object = descriptor?.nodeObject();
    if (descriptor !== undefined && object !== undefined) this.#owners.set(object, descriptor);
    return object;
  }

  /**
   * Frees a number without closing what is behind it. A Node object that nodeObject has returned or that was adopted
   * lives on, without any listener of ours, errors included; a socket that is not connected just goes. 0 or -EBADF.
   */
  release(fd: number): number {
    const descriptor = this.#table.remove(fd);
    if (descriptor === undefined) return -errno.EBADF;
    descriptor.release();
    return 0;
  }
}
