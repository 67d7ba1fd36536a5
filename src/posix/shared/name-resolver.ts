// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { promises as dns } from 'node:dns';
import { isIP, isIPv4 } from 'node:net';
import { AF_INET, AF_INET6, type InetAddress } from '../address.js';
import { EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_NONAME, EAI_SERVICE } from '../gai.js';

/** How many names have an answer at a time; the one not looked up for longest goes first. */
export const MAX_RESOLVED_NAMES = 256;

/** Looks a name up: its addresses in the resolver's order, or a rejection with a `code` as dns.lookup's. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

/** The system's own lookup (getaddrinfo on a thread of libuv's pool), both families, in its order. */
export const systemLookup: Lookup = (host) => dns.lookup(host, { all: true, verbatim: true });

type Addresses = readonly string[];

/**
 * getaddrinfo in two parts: `resolve` looks a name up without stalling the loop, `getaddrinfo` returns what was
 * found last.
 *
 * Numeric hosts, as net.isIP knows them, need no lookup. Others that glibc takes for numeric (`127.1`) are names here;
 * the lookup finds them without a query. A port is decimal digits, 0 to 65535: service names are EAI_SERVICE, and
 * so is a number beyond, which glibc cuts to 16 bits.
 */
export class NameResolver {
  readonly #lookup: Lookup;
  readonly #answers = new Map<string, { readonly started: number; readonly answer: Addresses | number }>();
  #started = 0;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  /** The addresses, or a negative EAI_ code; EAI_AGAIN for a name that was not looked up. */
  getaddrinfo(host: string, port: string): readonly InetAddress[] | number {
    const number = portNumber(port);
    if (number === undefined) return EAI_SERVICE;
    const answer = numericHost(host) ?? this.#answers.get(host)?.answer ?? EAI_AGAIN;
    if (typeof answer === 'number') return answer;
    return answer.map((address) => ({ family: isIPv4(address) ? AF_INET : AF_INET6, address, port: number }));
  }

  /** Starts a new lookup of a name, unless it is numeric, and returns as getaddrinfo does from then on. */
  async resolve(host: string, port: string): Promise<readonly InetAddress[] | number> {
    if (portNumber(port) !== undefined && numericHost(host) === undefined) {
      this.#started += 1;
      const started = this.#started;
      this.#keep(host, started, await this.#find(host));
    }
    return this.getaddrinfo(host, port);
  }

  async #find(host: string): Promise<Addresses | number> {
    try {
      const found = await this.#lookup(host);
      const addresses = found.map(({ address }) => address).filter((address) => isIP(address) !== 0);
      return addresses.length === 0 ? EAI_NONAME : addresses;
    } catch (error) {
      return lookupError(error);
    }
  }

  /** The answer of the lookup that began last counts, whichever comes in last. */
  #keep(host: string, started: number, answer: Addresses | number): void {
    const kept = this.#answers.get(host);
    if (kept !== undefined && kept.started > started) return;
    this.#answers.delete(host);
    this.#answers.set(host, { started, answer });
    if (this.#answers.size > MAX_RESOLVED_NAMES) {
      for (const oldest of this.#answers.keys()) {
        this.#answers.delete(oldest);
        break;
      }
    }
  }
}

/** The result that needs no lookup: a numeric host is its own address, and nothing is not a name. */
function numericHost(host: string): Addresses | number | undefined {
  if (typeof host !== 'string' || host === '') return EAI_NONAME;
  return isIP(host) === 0 ? undefined : [host];
}

function portNumber(port: string): number | undefined {
  if (typeof port !== 'string' || !/^[0-9]{1,10}$/u.test(port)) return undefined;
  const number = Number(port);
  return number <= 65_535 ? number : undefined;
}

/** Node's codes for a failed lookup; ENOTFOUND stands for both EAI_NONAME and EAI_NODATA. */
const lookupErrors = new Map<unknown, number>([
  ['ENOTFOUND', EAI_NONAME],
  ['EAI_AGAIN', EAI_AGAIN],
  ['EAI_MEMORY', EAI_MEMORY],
  ['ENOMEM', EAI_MEMORY],
]);

function lookupError(error: unknown): number {
  return lookupErrors.get((error as NodeJS.ErrnoException | undefined)?.code) ?? EAI_FAIL;
}
