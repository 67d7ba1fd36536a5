// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isIP } from 'node:net';
import { AF_INET, AF_INET6, AF_UNIX, type SocketAddress } from '../posix/address.js';
import type { Posix } from '../posix/posix.js';

/** Where an NBD server listens, or where a client finds one. */
export interface HostAndPort {
  readonly host: string;
  /** Decimal digits, up to 65535. */
  readonly port: string;
}

/**
 * Takes apart such an address: a Unix socket's path, which has a slash in it, or HOST:PORT, an IPv6 address in brackets.
 * Returns what is wrong if it is neither.
 */
export function parseNbdAddress(text: string): SocketAddress | HostAndPort | string {
  if (text.includes('/')) return { family: AF_UNIX, path: text };
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<name>[^:]+)):(?<port>\d{1,5})$/.exec(text);
  if (!match?.groups) return `'${text}' is neither a path (with a slash) nor HOST:PORT`;
  const { six, name = '', port = '' } = match.groups;
  if (Number(port) > 65_535) return `port ${port} is above 65535`;
  if (six !== undefined) {
    return isIP(six) === 6
      ? { family: AF_INET6, address: six, port: Number(port) }
      : `'${six}' is no IPv6 address`;
  }
  return isIP(name) === 4 ? { family: AF_INET, address: name, port: Number(port) } : { host: name, port };
}

/** As {@link parseNbdAddress}, and looks up the name of a host. */
export async function resolveNbdAddress(posix: Posix, text: string): Promise<SocketAddress | string> {
  const parsed = parseNbdAddress(text);
  if (typeof parsed === 'string' || 'family' in parsed) return parsed;
  const addresses = await posix.resolve(parsed.host, parsed.port);
  if (typeof addresses === 'number') return `there is no host '${parsed.host}'`;
  return addresses[0] ?? `host '${parsed.host}' has no address`;
}
