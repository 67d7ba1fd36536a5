// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { MAX_PENDING_REQUESTS, NbdClient } from './client.js';
export type { NbdClientOptions } from './client.js';
export type { ExportFacts } from './client-handshake.js';
export { vbdExports } from './exports.js';
export type { ExportNames, NbdExport, NbdExports } from './exports.js';
export { NbdError } from './nbd-error.js';
export { parseNbdAddress, resolveNbdAddress } from './nbd-address.js';
export type { HostAndPort } from './nbd-address.js';
export { nbdUri } from './nbd-uri.js';
export { DEFAULT_NBD_LIMITS, type NbdLimits } from './limits.js';
export { NbdServer } from './server.js';
export type { NbdServerOptions } from './server.js';
export { parsePskFile, type PskKeys } from './psk-file.js';
export { tlsServer } from './tls.js';
export type { TlsKeyPair, TlsServer, TlsServerOptions } from './tls.js';
export { pskServer } from './tls-psk.js';
export type { NodeObjects } from '../posix/node/start-tls.js';
