// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import { type TLSSocket, createSecureContext, createServer } from 'node:tls';
import { type NodeObjects, type SecuredDone, startTls } from '../posix/node/start-tls.js';
import type { Completions } from '../disks/index.js';
import { judgeClient } from './tls-clients.js';

/** A certificate and its key, in PEM. */
export interface TlsKeyPair {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** How a server speaks TLS, and with whom. */
export interface TlsServerOptions extends TlsKeyPair {
  /** The authority that has to have signed clients' certificates, in PEM. */
  readonly ca?: string | Buffer;
  /** Who of these may come: see `judgeClient`. All unless given. */
  readonly allow?: readonly string[];
  /** TLSv1.3 unless given. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Makes TLS of connections. */
export interface TlsServer {
  /**
   * Starts TLS, as its server, on a connected descriptor, after what was written to it. The number is gone at once; `done`
   * is told the one for what is said under TLS once the client was found good, or a negative errno and why. Returns how to
   * give up before that: the connection ends and `done` is not told.
   */
  readonly secure: (fd: number, done: SecuredDone) => () => void;
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
  const judge = (secured: TLSSocket): TLSSocket | string => {
    secured.disableRenegotiation();
    const fault = requestCert ? judgeClient(secured, { needsAuthority: ca !== undefined, allow }) : undefined;
    return fault ?? secured;
  };
  const wrap = (socket: Socket, usable: (secured: TLSSocket | string) => void): void => {
    // Trust is judged here, with a reason that can be logged.
    const server = createServer({ ...common, requestCert, rejectUnauthorized: false });
    server.once('secureConnection', (secured) => usable(judge(secured)));
    server.once('tlsClientError', (error) => usable(`the TLS handshake failed: ${error.message}`));
    server.emit('connection', socket);
  };
  return { secure: (fd, done) => startTls(posix, completions, fd, wrap, done) };
}
