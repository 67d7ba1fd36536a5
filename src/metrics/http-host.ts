// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET6, AF_UNIX, type SocketAddress } from '../posix/address.js';

/** Which hosts a request may be for: names and addresses without a port, in lower case. */
export type IsOurHost = (host: string) => boolean;

const FIELD = /^[!#$%&'*+.^_`|~\w-]+:/;
const HOST = /^(?:\[([\d:.a-f]+)\]|([\w.~-]+))(?::\d{0,5})?$/i;
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[\d.a-f]*:[\d:.a-f]*)$/;
const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Who listens at an address is asked for by that address, or by these names. On all of a host's addresses any address will do,
 * but no other name; on a Unix socket, where no web page gets, anything will.
 *
 * A page from elsewhere can have its own name lead here (DNS rebinding), and read what is served under it; not under ours.
 */
export function hostsOf(address: SocketAddress, names: readonly string[]): IsOurHost {
  if (address.family === AF_UNIX) return () => true;
  const own = address.address.replace(/%.*$/, '');
  const known = new Set([...names, own].map((name) => name.toLowerCase()));
  const isLocal =
    address.address.startsWith('127.') || (address.family === AF_INET6 && address.address === '::1');
  if (isLocal || EVERYWHERE.has(address.address)) known.add('localhost');
  const takesAddresses = EVERYWHERE.has(address.address);
  return (host) => known.has(host) || (takesAddresses && ADDRESS.test(host));
}

/**
 * The hosts that a request is for, in lower case and without ports and brackets: of its Host, and of a target in absolute form.
 * `malformed` when there are several Hosts, or a target without one, or fields that are none.
 *
 * @param request from its first line to the empty one
 */
export function requestedHosts(request: string): readonly string[] | 'malformed' {
  const [line = '', ...fields] = request.split('\r\n').slice(0, -2);
  if (!fields.every((field) => FIELD.test(field))) return 'malformed';
  const given = fields
    .filter((field) => /^host:/i.test(field))
    .map((field) => field.slice('host:'.length).trim());
  if (given.length > 1) return 'malformed';
  const [, authority] = /^\S+ https?:\/\/([^/?\s]*)/i.exec(line) ?? [];
  if (authority !== undefined && given.length === 1) given.push(authority);
  const hosts = given.map(hostOf);
  return hosts.every((host) => host !== undefined) ? hosts : 'malformed';
}

function hostOf(authority: string): string | undefined {
  const [, literal, name] = HOST.exec(authority) ?? [];
  return (literal ?? name)?.toLowerCase();
}
