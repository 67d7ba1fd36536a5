// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from './buffers.js';
import type { InetAddress, SocketAddress } from './address.js';
import type { Clock } from './clock.js';
import type { Poller } from './poller.js';

/** Levels, options, commands and flags, with Linux's numbers. */
export const SOL_SOCKET = 1;
export const IPPROTO_TCP = 6;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_KEEPALIVE = 9;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
/** How many probes, a second apart, go unanswered before a connection with SO_KEEPALIVE is given up, once TCP_KEEPIDLE is set. */
export const TCP_KEEPALIVE_PROBES = 10;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const O_RDWR = 0o2;
export const O_NONBLOCK = 0o4000;
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

/**
 * A number of the descriptor table, 3 or more; or a negative errno, where a call returns one. Plain numbers are taken for
 * descriptors, ids of events and modes are not.
 */
export type Descriptor = number & { readonly numberOf?: 'descriptor' };

/** What the socket calls of the connect module are, apart from names and descriptors: a port of it needs just these. */
export interface SocketCalls {
  /**
   * Opens a stream socket under the lowest free number from 3 up (rule D1).
   * Errors: -EAFNOSUPPORT, -EPROTONOSUPPORT, -EMFILE at the table's limit.
   */
  socket(domain: number, type: number, protocol?: number): Descriptor;
  /**
   * Sets SO_REUSEADDR, SO_KEEPALIVE (SOL_SOCKET), TCP_NODELAY or TCP_KEEPIDLE (IPPROTO_TCP; in seconds, from 1 up).
   * Errors: -EBADF, -ENOPROTOOPT, -EINVAL.
   */
  setsockopt(fd: Descriptor, level: number, option: number, value: number): number;
  /** The option's value (SO_ERROR: a positive errno or 0, and it is cleared). Errors: -EBADF, -ENOPROTOOPT. */
  getsockopt(fd: Descriptor, level: number, option: number): number;
  /** F_GETFL returns the flags, F_SETFL keeps them; O_NONBLOCK is in force whatever they say (rule D6). Errors: -EBADF, -EINVAL. */
  fcntl(fd: Descriptor, command: number, argument?: number): number;
  /**
   * Binds at once. Errors: -EBADF, -EADDRNOTAVAIL for an address this host does not have, -EACCES, -EINVAL when bound
   * already, -EAFNOSUPPORT for another family than the socket's, -EADDRINUSE (here or at listen).
   */
  bind(fd: Descriptor, address: SocketAddress): number;
  /** Listens at once. Errors: -EBADF, -EADDRINUSE, -EINVAL when connected, -EOPNOTSUPP. */
  listen(fd: Descriptor, backlog: number): number;
  /** The new descriptor. Errors: -EBADF, -EAGAIN when no connection waits, -EINVAL when not listening, -EMFILE. */
  accept(fd: Descriptor): Descriptor;
  /**
   * Starts to connect: -EINPROGRESS, or an errno at once. -EALREADY while connecting, -EISCONN when connected.
   * The outcome is fetched with SO_ERROR once the descriptor is writable; after a failure it can connect again.
   */
  connect(fd: Descriptor, address: SocketAddress): number;
  /** Frees the number at once; bytes that write took are still sent. Errors: -EBADF. */
  close(fd: Descriptor): number;
  /**
   * Returns at once: the addresses, in the resolver's order, or a negative EAI_ code.
   * Numeric hosts need no lookup; a name has an answer only after {@link Posix.resolve} has had one, and is EAI_AGAIN before.
   */
  getaddrinfo(host: string, port: string): readonly InetAddress[] | number;
}

/** Parts that {@link Posix.send} took may be used again; `isLost`: the connection is gone, and perhaps not all were sent. */
export type SentDone = (isLost: boolean) => void;

/** The operating system that the rest of the project sees: descriptors, sockets, readiness, names and the clock. */
export interface Posix extends SocketCalls {
  readonly clock: Clock;
  /** Bytes read; 0 at end of file, every time. Errors: -EBADF, -EAGAIN, -ENOTCONN, a pending error once (-ECONNRESET), then 0. */
  read(fd: Descriptor, buffer: Uint8Array): number;
  /** Bytes taken, perhaps fewer than given; the buffer is the caller's again at once. Errors: -EBADF, -EAGAIN, -EPIPE, -ENOTCONN. */
  write(fd: Descriptor, bytes: Uint8Array): number;
  /**
   * As {@link read}, without a copy: what has come, at least a byte, in memory that is left to the caller, who does not
   * change it. 0 at end of file, and the errors of read; -EOPNOTSUPP where nothing is to be gained.
   */
  take?(fd: Descriptor): Uint8Array | number;
  /**
   * As {@link write}, for parts that follow one another, all of which it takes; they are not copied, and must not change
   * until `sent` is called: once, after this has returned, when they are with the kernel or (`isLost`) the connection is
   * gone. It returns how many bytes they are, or takes none: -EAGAIN, -EPIPE, -EBADF, -EOPNOTSUPP where nothing is to be
   * gained.
   */
  send?(fd: Descriptor, parts: readonly Uint8Array[], sent: SentDone): number;
  /**
   * From now on the bytes that come to a connected socket are available only through {@link read}, and nobody is handed the
   * connection: so that it can be received into memory that is used again. 0, or a negative errno with nothing changed:
   * -EBADF, -EOPNOTSUPP where there is nothing to be gained, -EAGAIN while something waits to be sent. An operating system
   * without it has nothing to gain.
   *
   * @param buffers where that memory is from; unless given, the memory that threads for file calls share
   */
  dedicate?(fd: Descriptor, buffers?: BufferPool): number;
  /**
   * Closes a connection with a reset in place of an end of file, whatever is still to be sent (C: SO_LINGER with 0, then
   * close). Anything else is closed. Errors as of close. An operating system without it has only close.
   */
  abort?(fd: Descriptor): number;
  /**
   * How often in a row the kernel has sent a TCP connection's bytes, or a probe, without an answer; 0 when it has not. It may
   * be a second old. An operating system without it does not know.
   */
  retransmissions?(fd: Descriptor): number;
  /**
   * 0 when the kernel has all that {@link write} and {@link send} have taken; else a number that changes whenever it takes
   * more. An operating system without it does not know. Errors: -EBADF.
   */
  unsent?(fd: Descriptor): number;
  /** SHUT_RD, SHUT_WR or SHUT_RDWR. Errors: -EBADF, -ENOTCONN, -EINVAL. */
  shutdown(fd: Descriptor, how: number): number;
  /** The local address, or a negative errno: -EBADF, -ENOTSOCK. */
  getsockname(fd: Descriptor): SocketAddress | number;
  /** The peer's address, or a negative errno: -EBADF, -ENOTCONN, -ENOTSOCK. */
  getpeername(fd: Descriptor): SocketAddress | number;
  /**
   * Looks a name up without stalling the loop; getaddrinfo has the answer afterwards.
   * Resolves to what getaddrinfo returns: the addresses or a negative EAI_ code.
   */
  resolve(host: string, port: string): Promise<readonly InetAddress[] | number>;
  /**
   * A counter descriptor (Linux: eventfd): write adds the little-endian u64 in its 8 bytes, read returns 8 bytes with the
   * sum and clears it, or -EAGAIN at 0. READ-ready while the sum is not 0. It lets work done elsewhere
   * (a file call, a thread) complete through the scheduler.
   */
  eventfd(initial?: number): Descriptor;
  /**
   * A timer descriptor (Linux: timerfd on CLOCK_MONOTONIC) without a deadline. READ-ready from its deadline on, until it is
   * read or set again: an event with fractions of a second, which the scheduler's own timeouts do not have. Errors: -EMFILE.
   */
  timerfd(): number;
  /**
   * Sets a timer's deadline, `seconds` (a fraction is fine) from now; 0 takes it away. Errors: -EBADF, -EINVAL for another
   * descriptor or a number that is negative or not finite. Linux: timerfd_settime, without an interval.
   */
  timerfdSettime(fd: number, seconds: number): number;
  /** A poller over this table's descriptors. Several may exist; each has its own interest. */
  createPoller(): Poller;
  /** One select without a poller of one's own (for code that polls now and then). */
  select(sets: SelectSets, timeoutSeconds: number): Promise<Required<SelectSets> | number>;
  /** The numbers that are open, ascending, each with a word on what it is (for dumps and leak checks). */
  openDescriptors(): readonly { readonly fd: Descriptor; readonly description: string }[];
}

/** The descriptor sets of {@link Posix.select}. */
export interface SelectSets {
  read?: readonly Descriptor[];
  write?: readonly Descriptor[];
  except?: readonly Descriptor[];
}
