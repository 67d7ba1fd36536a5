// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from '../buffers.js';
import type { SocketAddress } from '../address.js';
import { errno } from '../errno.js';
import type { NodeObject } from './node-object.js';
import { F_GETFL, F_SETFL, O_RDWR, type SentDone } from '../posix.js';

/** The part of the flags that F_SETFL does not change. */
const ACCESS_MODE = 0o3;

/** Where a descriptor is entered: it is notified when the readiness has changed. */
export interface Place {
  readinessChanged(): void;
}

/**
 * What stands under a descriptor number. The calls that a kind of descriptor does not know return what Linux returns for
 * a descriptor that is not a socket.
 *
 * Readiness is a level (see {@link Descriptor.ready}), kept up to date by whatever changes it, so that nobody ever has
 * to go through the descriptors to find the ready ones.
 */
export abstract class Descriptor {
  /** The table's entry for it, undefined while it has no number. */
  place: Place | undefined;
  /** The flags of fcntl (rule D6: they are kept and change nothing). */
  flags = O_RDWR;
  #ready = 0;

  /** The conditions it is ready for, a mask of READABLE and WRITABLE. */
  get ready(): number {
    return this.#ready;
  }

  protected setReady(mask: number): void {
    if (mask === this.#ready) return;
    this.#ready = mask;
    this.place?.readinessChanged();
  }

  /** What it is, for a dump: `tcp connected 127.0.0.1:5000 -> 127.0.0.1:9000`. */
  abstract describe(): string;

  /** Lets go of everything; its number is free already. */
  abstract close(): void;

  /** Sets the conditions that are waited for at this moment. */
  interestChanged(_conditions: number): void {}

  /** See {@link Posix.abort}. */
  abort(): void {
    this.close();
  }
  /** See {@link Posix.unsent}. */
  unsent(): number {
    return 0;
  }

  /** See {@link Posix.take}. */
  take(): Uint8Array | number {
    return -errno.EOPNOTSUPP;
  }

  /** See {@link Posix.send}. */
  send(_parts: readonly Uint8Array[], _sent: SentDone): number {
    return -errno.EOPNOTSUPP;
  }

  /** See {@link Posix.dedicate}. */
  dedicate(_buffers?: BufferPool): number {
    return -errno.EOPNOTSUPP;
  }

  /** The Node object behind it, handed back as ordinary Node code expects it (rule D5), or undefined when there is none. */
  nodeObject(): NodeObject | undefined {
    return undefined;
  }

  /** Forgets the Node object without closing it. */
  release(): void {
    this.close();
  }

  fcntl(command: number, argument: number): number {
    if (command === F_GETFL) return this.flags;
    if (command !== F_SETFL || !Number.isInteger(argument)) return -errno.EINVAL;
    this.flags = (this.flags & ACCESS_MODE) | (argument & ~ACCESS_MODE);
    return 0;
  }

  abstract read(buffer: Uint8Array): number;
  abstract write(bytes: Uint8Array): number;

  /** Of a timer: sets its deadline, in seconds from now. */
  setTimer(_seconds: number): number {
    return -errno.EINVAL;
  }
  bind(_address: SocketAddress): number {
    return -errno.ENOTSOCK;
  }
  /** The descriptor that takes the place of this one (a socket becomes a listener), or a negative errno, or 0. */
  listen(_backlog: number): Descriptor | number {
    return -errno.ENOTSOCK;
  }
  /** Opens a connection that waits with `open`, and returns its number; or a negative errno, and it goes on waiting. */
  accept(_open: (connection: Descriptor) => number): number {
    return -errno.ENOTSOCK;
  }
  connect(_address: SocketAddress): number {
    return -errno.ENOTSOCK;
  }
  shutdown(_how: number): number {
    return -errno.ENOTSOCK;
  }
  getsockname(): SocketAddress | number {
    return -errno.ENOTSOCK;
  }
  getpeername(): SocketAddress | number {
    return -errno.ENOTSOCK;
  }
  setsockopt(_level: number, _option: number, _value: number): number {
    return -errno.ENOTSOCK;
  }
  getsockopt(_level: number, _option: number): number {
    return -errno.ENOTSOCK;
  }
}
