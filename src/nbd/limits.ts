// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The bounds of a server, unless set otherwise. */
export const DEFAULT_NBD_LIMITS = {
  maxConnections: 128,
  maxHandshakes: 32,
  maxConnectionsPerPeer: 64,
  maxTlsHandshakesPerSecond: 40,
  maxTlsHandshakesPerPeerPerSecond: 20,
  maxRequestsInFlight: 128,
  maxBytesInFlight: 32 << 20,
  handshakeTimeoutSeconds: 30,
  finishTimeoutSeconds: 5,
  maxRequestMemoryBytes: 256 << 20,
  stallTimeoutSeconds: 30,
  idleTimeoutSeconds: 0,
} as const;

/** The bounds of an NBD server. */
export interface NbdLimits {
  /** Connections that use a disk; one more is refused it. */
  readonly maxConnections: number;
  /** Connections that have come to no disk yet, beside the others; with one more, the oldest is dropped of the address that has most. */
  readonly maxHandshakes: number;
  /** Connections of one address, in all; one more is closed as soon as it has connected. Unix sockets have no addresses. */
  readonly maxConnectionsPerPeer: number;
  /** TLS handshakes that start in a second, of all clients; the others wait for a later second. */
  readonly maxTlsHandshakesPerSecond: number;
  /** TLS handshakes that start in a second for clients of one address; a Unix socket has none. */
  readonly maxTlsHandshakesPerPeerPerSecond: number;
  /** Per connection: no further request is read while so many are in flight. */
  readonly maxRequestsInFlight: number;
  /** Per connection: no further request is read while data of this many bytes is in flight (one request may exceed it, by 32 MiB at most). */
  readonly maxBytesInFlight: number;
  readonly handshakeTimeoutSeconds: number;
  readonly finishTimeoutSeconds: number;
  /**
   * For all connections together: data of this many bytes is in flight at most; further requests wait, and each connection
   * gets its share. At least `MIN_REQUEST_MEMORY_BYTES`.
   */
  readonly maxRequestMemoryBytes: number;
  /**
   * A client that stops in the middle of a request for this long is dropped; and so is one that takes nothing for this long of
   * data that it has asked for, while others wait for memory.
   */
  readonly stallTimeoutSeconds: number;
  /** A client of a disk that asks for nothing for this long is dropped; 0: never. */
  readonly idleTimeoutSeconds: number;
}
