// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import { AF_UNIX, type SocketAddress } from '../address.js';
import { errorNumber } from './channel.js';
import { errno } from '../errno.js';
import { reset } from './linger.js';
import { currentPeer } from './node-address.js';

/**
 * A Node socket for one connect, started by the descriptor or by a user of the object.
 *
 *     idle --start--> under way --Node's `connect`--> over: 0
 *                          \--`error`, `close`------> over: why
 *
 * A connection to oneself is refused: when nobody listens on a port of this host that the kernel may give to who dials, it
 * gives that very port sooner or later, and TCP connects the socket to itself.
 */
export class Dial {
  readonly socket = new Socket({ allowHalfOpen: true });
  readonly #outcome: (error: number) => void;

  readonly #onConnect = (): void => {
    if (!isSelfConnected(this.socket)) return this.#end(0);
    reset(this.socket);
    return this.#end(errno.ECONNREFUSED);
  };
  readonly #onError = (error: Error): void => {
    this.#end(errorNumber(error));
  };
  readonly #onClose = (): void => {
    // Without an error before it, a user of the Node object has destroyed it.
    this.#end(errno.ECONNABORTED);
  };

  /** @param outcome called once, with 0 or an errno; no listener is on the socket any more then */
  constructor(outcome: (error: number) => void) {
    this.#outcome = outcome;
    this.socket.on('connect', this.#onConnect);
    this.socket.on('error', this.#onError);
    this.socket.on('close', this.#onClose);
  }

  /** Between the start and the outcome; a socket that is destroyed meanwhile has its outcome with `close`. */
  get underWay(): boolean {
    return this.socket.connecting || this.socket.destroyed;
  }

  /** Connects, from `local` if the socket is to be bound; a port of 0 leaves the choice to the kernel. */
  start(address: SocketAddress, local: SocketAddress | undefined): void {
    if (address.family === AF_UNIX) this.socket.connect({ path: address.path });
    else this.socket.connect({ host: address.address, port: address.port, ...localEnd(local) });
  }

  /** Wants to know nothing more of it. */
  release(): void {
    this.socket.off('connect', this.#onConnect);
    this.socket.off('error', this.#onError);
    this.socket.off('close', this.#onClose);
  }

  #end(error: number): void {
    this.release();
    this.#outcome(error);
  }
}

function isSelfConnected(socket: Socket): boolean {
  const { localAddress, localPort } = socket;
  const peer = currentPeer(socket);
  if (localPort === undefined || peer === undefined || peer.family === AF_UNIX) return false;
  return peer.port === localPort && peer.address === localAddress;
}

function localEnd(local: SocketAddress | undefined): { localAddress?: string; localPort?: number } {
  if (local === undefined || local.family === AF_UNIX) return {};
  return { localAddress: local.address, localPort: local.port };
}
