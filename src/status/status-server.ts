// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { dirname } from 'node:path';
import { AF_UNIX } from '../posix/address.js';
import type { Posix } from '../posix/posix.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import type { ExchangeProtocol, Reply } from '../server/exchange.js';
import { ExchangeListener } from '../server/exchange-listener.js';
import type { Logger } from '../server/logger.js';
import { checkSocketPath } from '../server/socket-path.js';
import { requireTrusted } from '../server/trusted-directory.js';
import { MAX_REQUEST_BYTES, STATUS_REQUEST } from './status-protocol.js';

/** How many status requests may be under way at once; further ones wait. */
export const MAX_STATUS_CONNECTIONS = 32;
/** A client that neither sends nor takes anything for this long is dropped. */
export const SLOW_CLIENT_SECONDS = 2;

const NEWLINE = 0x0a;

export interface StatusServerOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  readonly path: string;
  /** The reply, as JSON. Called for every request. */
  readonly status: () => object;
}

/**
 * Answers status requests on a Unix socket: the line `status`, then a JSON object on a line. Anything else is
 * answered with an `error` member, or dropped.
 */
export class StatusServer implements Disposable {
  readonly #listener: ExchangeListener;

  /**
   * The path must be free: see `takeSocketPath`. The socket is its owner's alone, from its first moment on.
   *
   * @throws Error with a `code` when the socket cannot be made: EADDRINUSE when anything has the path, EPERM when others
   *   could put another socket there
   */
  constructor({ registrar, posix, logger, path, status }: StatusServerOptions) {
    checkSocketPath(path);
    requireTrusted(dirname(path));
    this.#listener = new ExchangeListener(
      { family: AF_UNIX, path, mode: 0o600 },
      {
        registrar,
        posix,
        logger,
        protocol: statusProtocol(status),
        name: 'status',
        maxConnections: MAX_STATUS_CONNECTIONS,
        slowClientSeconds: SLOW_CLIENT_SECONDS,
      },
    );
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#listener.size;
  }

  /** Drops every connection, and removes the socket, unless another has taken its path. Idempotent. */
  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
  }
}

function statusProtocol(status: () => object): ExchangeProtocol {
  const refuse = (reply: Reply): void => {
    send(reply, { error: `expected the line ${JSON.stringify(STATUS_REQUEST.trimEnd())}` });
  };
  return {
    maxRequestBytes: MAX_REQUEST_BYTES,
    requestLength: (received) => received.indexOf(NEWLINE) + 1,
    answer: (request, reply) => {
      if (Buffer.from(request).toString('latin1') === STATUS_REQUEST) send(reply, status());
      else refuse(reply);
    },
    tooLong: refuse,
  };
}

function send(reply: Reply, answer: object): void {
  reply.send(Buffer.from(`${JSON.stringify(answer)}\n`));
  reply.end();
}
