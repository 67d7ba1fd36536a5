// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Completions } from '../disks/index.js';
import type { NodeObjects } from '../posix/node/start-tls.js';
import type { PskKeys } from './psk-file.js';
import { secureAs, type TlsServer, type TlsVersion } from './tls.js';

/**
 * TLS 1.3's suites, first the one with the hash that keys have unless they name another. For 1.2, those with forward
 * secrecy.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-PSK-CHACHA20-POLY1305',
  'ECDHE-PSK-AES256-CBC-SHA384',
  'ECDHE-PSK-AES128-CBC-SHA256',
].join(':');

/** Lets in the clients that know a key. */
export function pskServer(
  posix: NodeObjects,
  completions: Completions,
  { keys, minVersion = 'TLSv1.3' }: { readonly keys: PskKeys; readonly minVersion?: TlsVersion },
): TlsServer {
  return secureAs(posix, completions, () => {
    let identity: string | undefined;
    const options = {
      minVersion,
      ciphers: CIPHERS,
      pskCallback: (_: unknown, name: string): Buffer | null => {
        identity = name;
        return keys.get(name) ?? null;
      },
    };
    const whatFailed = (error: Error): string => {
      if (identity === undefined) return `the client has no key: ${error.message}`;
      if (!keys.has(identity)) return `the client's name ${identity} is unknown`;
      return `the client's key for ${identity} is wrong: ${error.message}`;
    };
    // Without a certificate, a handshake succeeds only by a key.
    const judge = (): string | undefined =>
      identity !== undefined && keys.has(identity) ? undefined : 'the client has no key';
    return { options, judge, whatFailed };
  });
}
