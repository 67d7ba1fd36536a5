// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { type NodeObjects, type SecuredDone, startTls } from '../../posix/node/start-tls.js';
import type { TaskQueue } from '../../posix/node/task-queue.js';

/** The protocol that own peers negotiate. */
const ALPN_PROTOCOL = 'tapdisk-ts-replication/1';

/** This side's certificate, and whom it trusts. PEM. */
export interface PeerTlsOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** The authority that has signed the other side's certificate. */
  readonly ca?: string | Buffer;
  /** SHA-256 fingerprints of certificates, hexadecimal with or without colons: one of them has to be the other side's. */
  readonly fingerprints?: readonly string[];
}

/** Makes TLS of a connection to a peer. */
export interface PeerTls {
  /**
   * Starts TLS on a connected descriptor, whose number is gone at once. `done` gets the descriptor for what is said under
   * TLS once both certificates were found good, or a negative errno and why. Returns how to give up before that.
   */
  secure(fd: number, isServer: boolean, done: SecuredDone): () => void;
}

/**
 * Mutual TLS 1.3, in which nothing is negotiated twice: each side shows a certificate, and has to know the other's by its authority or
 * its fingerprint, whatever names it has.
 *
 * @throws Error when neither is given, or Node's when the certificate or key cannot be used
 */
export function peerTls(posix: NodeObjects, tasks: TaskQueue, options: PeerTlsOptions): PeerTls {
  const { cert, key, ca } = options;
  const pins = (options.fingerprints ?? []).map(plain);
  if (ca === undefined && pins.length === 0)
    throw new Error('TLS needs an authority or a fingerprint to trust');
  const common = { cert, key, ...(ca !== undefined && { ca }), minVersion: 'TLSv1.3' } as const;
  createSecureContext(common);
  const judge = (secured: TLSSocket): TLSSocket | string => {
    const { fingerprint256 } = secured.getPeerCertificate();
    if (fingerprint256 === undefined) return 'the peer shows no certificate';
    if (pins.length > 0 && !pins.includes(plain(fingerprint256))) {
      return `the peer's certificate ${plain(fingerprint256)} is none of those that are expected`;
    }
    if (pins.length === 0 && !secured.authorized) {
      return `the peer's certificate is not trusted: ${String(secured.authorizationError)}`;
    }
    if (secured.alpnProtocol !== ALPN_PROTOCOL) return `the peer does not speak ${ALPN_PROTOCOL}`;
    return secured;
  };
  const wrapped = (
    socket: Socket,
    isServer: boolean,
    usable: (secured: TLSSocket | string) => void,
  ): void => {
    socket.setNoDelay(true);
    // Trust is judged here, with a reason that can be reported.
    const trust = { rejectUnauthorized: false, ALPNProtocols: [ALPN_PROTOCOL] };
    const failed = (error: Error): void => usable(`the TLS handshake failed: ${error.message}`);
    if (!isServer) {
      // A side has no name that its certificate could show: either may be the one that connects.
      const checkServerIdentity = (): undefined => undefined;
      const secured = connect({ ...common, ...trust, checkServerIdentity, socket }, () => {
        secured.off('error', failed);
        usable(judge(secured));
      });
      secured.once('error', failed);
      return;
    }
    const server = createServer({ ...common, ...trust, requestCert: true });
    server.once('secureConnection', (secured) => usable(judge(secured)));
    server.once('tlsClientError', failed);
    server.emit('connection', socket);
  };
  return {
    secure: (fd, isServer, done) =>
      startTls(posix, tasks, fd, (socket, usable) => wrapped(socket, isServer, usable), done),
  };
}

function plain(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
