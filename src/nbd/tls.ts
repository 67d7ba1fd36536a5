// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { TLSSocket, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { type NodeObjects, startTls } from '../posix/node/start-tls.js';
import type { Completions, Done } from '../disks/index.js';

/** A certificate and its key, in PEM. */
export interface TlsKeyPair {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** Makes TLS of connections. */
export interface TlsServer {
  /**
   * Starts TLS, as its server, on a connected descriptor, after what was written to it. The number is gone at once; `done`
   * is told the one for what is said under TLS, or a negative errno. Answers how to give up before that: the connection
   * ends and `done` is not told.
   *
   * A TLS handshake that fails shows as an error or end of file on the new descriptor.
   */
  readonly secure: (fd: number, done: Done) => () => void;
}

/** Throws Node's Error when the certificate or key cannot be used. */
export function tlsServer(
  posix: NodeObjects,
  completions: Completions,
  { cert, key }: TlsKeyPair,
): TlsServer {
  const secureContext: SecureContext = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  return {
    secure: (fd, done) =>
      startTls(
        posix,
        completions,
        fd,
        (socket, usable) => usable(new TLSSocket(socket, { isServer: true, secureContext })),
        (result) => done(result),
      ),
  };
}
