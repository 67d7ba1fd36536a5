// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Address families and socket types, with Linux's numbers. */
export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const PF_INET = AF_INET;
export const SOCK_STREAM = 1;

/** An IPv4 address and port (C: struct sockaddr_in). */
export interface Inet4Address {
  readonly family: typeof AF_INET;
  /** Dotted quad. */
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** An IPv6 address and port (C: struct sockaddr_in6); a scope is part of the address (`fe80::1%eth0`). */
export interface Inet6Address {
  readonly family: typeof AF_INET6;
  readonly address: string;
  readonly port: number;
}

/** A Unix socket's path (C: struct sockaddr_un); the empty string for an unnamed one. */
export interface UnixAddress {
  readonly family: typeof AF_UNIX;
  readonly path: string;
  /** For bind: the permissions of the socket's file, from its first moment on, whatever the umask says. */
  readonly mode?: number;
}

/** The address of a socket. */
export type SocketAddress = Inet4Address | Inet6Address | UnixAddress;
/** An address of IPv4 or IPv6. */
export type InetAddress = Inet4Address | Inet6Address;

/** `10.0.0.2:9000`, `[::1]:9000` or the path. */
export function formatAddress(address: SocketAddress): string {
  switch (address.family) {
    case AF_UNIX:
      return address.path;
    case AF_INET:
      return `${address.address}:${address.port}`;
    case AF_INET6:
      return `[${address.address}]:${address.port}`;
  }
}

/** The address of a socket that is bound to nothing. */
export function unboundAddress(domain: number): SocketAddress {
  if (domain === AF_UNIX) return { family: AF_UNIX, path: '' };
  return domain === AF_INET
    ? { family: AF_INET, address: '0.0.0.0', port: 0 }
    : { family: AF_INET6, address: '::', port: 0 };
}
