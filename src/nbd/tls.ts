// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { errno } from '../posix/errno.js';
import type { NodeObject } from '../posix/index.js';
import type { Completions, Done } from '../disks/index.js';

/** A certificate and its key, in PEM. */
export interface TlsKeyPair {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** What TLS needs of the operating system: the Node object behind a descriptor, and a descriptor for another one (rule D5). */
export interface NodeObjects {
  adopt(object: NodeObject): number;
  nodeObject(fd: number): NodeObject | undefined;
  release(fd: number): number;
  close(fd: number): number;
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
  const adoptSecured = (socket: Socket): number => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    const adopted = posix.adopt(secured);
    if (adopted < 0) secured.on('error', () => {}).destroy();
    return adopted;
  };
  return {
    secure(fd, done) {
      const socket = posix.nodeObject(fd);
      posix.release(fd);
      let givenUp = false;
      let adopted = -1;
      const tell = (result: number): void => completions.post(() => (givenUp ? undefined : done(result)));
      if (!(socket instanceof Socket)) {
        // The client has sent more than it may, and the end of its stream: what reads that is no socket any more.
        if (socket && 'destroy' in socket) socket.destroy();
        tell(-errno.ECONNRESET);
        return () => {
          givenUp = true;
        };
      }
      // Between the two descriptors nobody else listens; what goes wrong shows in the callback of write.
      const ignore = (): void => {};
      socket.on('error', ignore);
      socket.write('', (error) => {
        if (givenUp) return;
        adopted = error ? -errno.ECONNRESET : adoptSecured(socket);
        if (adopted < 0) socket.destroy();
        else socket.off('error', ignore);
        tell(adopted);
      });
      return () => {
        givenUp = true;
        if (adopted >= 0) posix.close(adopted);
        else socket.destroy();
      };
    },
  };
}
