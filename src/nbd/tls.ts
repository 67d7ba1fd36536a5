// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import { type TLSSocket, type TlsOptions, createSecureContext, createServer } from 'node:tls';
import { type NodeObjects, type SecuredDone, startTls } from '../posix/node/start-tls.js';
import type { Completions } from '../disks/index.js';
import { judgeClient } from './tls-clients.js';

/** A certificate and its key, in PEM. */
export interface TlsKeyPair {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** How a server speaks TLS, and with whom. */
export interface TlsServerOptions extends TlsKeyPair {
  /** The authority that has to have signed clients' certificates, in PEM. */
  readonly ca?: string | Buffer;
  /** Who of these may come: see `judgeClient`. All unless given. */
  readonly allow?: readonly string[];
  /** TLSv1.3 unless given. */
  readonly minVersion?: TlsVersion;
}

/** Makes TLS of connections. */
export interface TlsServer {
  /**
   * Starts TLS, as its server, on a connected descriptor, after what was written to it. The number is gone at once; `done`
   * gets the one for what is said under TLS once the client is accepted, or a negative errno and why. Returns how to
   * give up before that: the connection ends and `done` is not called.
   */
  readonly secure: (fd: number, done: SecuredDone) => () => void;
}

/** One client's handshake. */
export interface Handshake {
  readonly options: TlsOptions;
  /** What speaks against the client after the handshake, or undefined. */
  readonly judge: (secured: TLSSocket) => string | undefined;
  /** What a handshake that failed is to be called. */
  readonly whatFailed: (error: Error) => string;
}

/** @throws Error of Node's when the certificate, the key or the authority cannot be used */
export function tlsServer(
  posix: NodeObjects,
  completions: Completions,
  { cert, key, ca, allow, minVersion = 'TLSv1.3' }: TlsServerOptions,
): TlsServer {
  const common = { cert, key, ...(ca !== undefined && { ca }), minVersion };
  createSecureContext(common);
  const requestCert = ca !== undefined || allow !== undefined;
  return secureAs(posix, completions, () => ({
    // Trust is judged here, with a reason that can be logged.
    options: { ...common, requestCert, rejectUnauthorized: false },
    judge: (secured) =>
      requestCert ? judgeClient(secured, { needsAuthority: ca !== undefined, allow }) : undefined,
    whatFailed: (error) => `the TLS handshake failed: ${error.message}`,
  }));
}

/** @param begin called for each client */
export function secureAs(posix: NodeObjects, completions: Completions, begin: () => Handshake): TlsServer {
  const wrap = (socket: Socket, usable: (secured: TLSSocket | string) => void): void => {
    const { options, judge, whatFailed } = begin();
    const server = createServer(options);
    server.once('secureConnection', (secured) => {
      secured.disableRenegotiation();
      usable(judge(secured) ?? secured);
    });
    server.once('tlsClientError', (error) => usable(whatFailed(error)));
    server.emit('connection', socket);
  };
  return { secure: (fd, done) => startTls(posix, completions, fd, wrap, done) };
}
