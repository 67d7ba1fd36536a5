// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { lstatSync } from 'node:fs';
import { AF_UNIX } from '../posix/address.js';
import { errno } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_WARNING, type Logger } from '../server/logger.js';
import type { ExchangeProtocol, Reply } from '../server/exchange.js';
import { ExchangeListener } from '../server/exchange-listener.js';
import { controlSocketPath, prepareControlDirectory } from './control-directory.js';
import { ControlMessage, MESSAGE_BYTES } from './message.js';
import { answerRequest, type ControlTarget, refuse } from './requests.js';

/** How many control connections there may be at once. */
export const MAX_CONTROL_CONNECTIONS = 64;
/** A client that sends nothing, or takes nothing, for this long is dropped. */
export const SLOW_CLIENT_SECONDS = 2;

export interface ControlServerOptions extends ControlTarget {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  /** Made if it is missing. */
  readonly directory: string;
}

/**
 * How many requests may be under way, those included whose client has gone: a pause goes on without its client, and one
 * that cannot end (a disk that hangs) must not let them pile up. Beyond, the reply is ERROR with EAGAIN.
 */
export const MAX_PENDING_REQUESTS = 1024;

/** The protocol of the control socket: one message in, one or more out. */
export function controlProtocol(target: ControlTarget): ExchangeProtocol {
  let pending = 0;
  return {
    maxRequestBytes: MESSAGE_BYTES,
    // It has reported that its request failed: a disk that is paused later would stay so.
    needsClient: true,
    requestLength: (received) => (received.length === MESSAGE_BYTES ? MESSAGE_BYTES : 0),
    answer(bytes, reply) {
      const request = new ControlMessage(bytes);
      if (pending >= MAX_PENDING_REQUESTS) {
        refuse(request, reply, errno.EAGAIN, `${pending} requests are under way already`);
        return;
      }
      pending += 1;
      const counted: Reply = {
        send: (piece) => reply.send(piece),
        end() {
          pending -= 1;
          reply.end();
        },
      };
      answerRequest(request, counted, target);
    },
  };
}

/**
 * A daemon's control socket, which C's tap-ctl drives (C: tapdisk-control.c).
 *
 * Differs from C: nothing blocks, and a slow client is dropped without affecting others; DETACH of an open VBD is
 * EBUSY; PAUSE is answered when the VBD is quiet.
 */
export class ControlServer implements Disposable {
  readonly path: string;
  readonly #listener: ExchangeListener;
  readonly #logger: Logger;
  #disposed = false;

  /**
   * Its name in the directory must be free: see `takeSocketPath`. Any client that can connect may open any file that the
   * daemon may, so the socket is accessible only to its owner, from its first moment and whatever the umask.
   *
   * @throws Error with a `code` when the directory or the socket cannot be made: EADDRINUSE when anything has the name, EPERM
   *   when others could put another socket there
   */
  constructor(options: ControlServerOptions) {
    const { registrar, posix, logger, directory, pid } = options;
    this.#logger = logger;
    prepareControlDirectory(directory, pid);
    this.path = controlSocketPath(directory, pid);
    this.#listener = new ExchangeListener(
      { family: AF_UNIX, path: this.path, mode: 0o600 },
      {
        registrar,
        posix,
        logger,
        protocol: controlProtocol(options),
        name: 'control',
        maxConnections: MAX_CONTROL_CONNECTIONS,
        slowClientSeconds: SLOW_CLIENT_SECONDS,
      },
    );
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#listener.size;
  }
  /** How many connections there have been. */
  get accepted(): number {
    return this.#listener.accepted;
  }

  /** Drops every connection, and removes the socket; what else has taken its name stays, which is logged. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#listener[Symbol.dispose]();
    if (lstatSync(this.path, { throwIfNoEntry: false }) === undefined) return;
    this.#logger.log(LOG_WARNING, `control: ${this.path} is not this daemon's any more, and stays`);
  }
}
