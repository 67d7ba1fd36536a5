// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { AF_INET, AF_UNIX, type InetAddress, type SocketAddress } from '../address.js';
import type { Clock } from '../clock.js';

type Table = 'tcp' | 'tcp6';

/** For how long a table is taken as it was read, in seconds. */
const READ_AGAIN_SECONDS = 1;

/**
 * What the kernel knows of the connections of this host. Each of its tables is read at most once a second, however many
 * connections are looked for: it has a line for each of the host's.
 */
export class ConnectionTables {
  readonly #clock: Clock;
  readonly #readLines: (table: Table) => readonly string[];
  readonly #tables = new Map<Table, { readonly at: number; readonly lines: readonly string[] }>();

  constructor(clock: Clock, readLines = linesOf) {
    this.#clock = clock;
    this.#readLines = readLines;
  }

  /**
   * How often in a row the kernel has sent a connection's bytes, or a probe, without an answer; 0 when it has not, and while
   * it is not known (no /proc, no such connection, no descriptor left to read the table with).
   *
   * A peer whose receive buffer is full is sent no bytes but probes, which it acknowledges for as long as its host is up.
   */
  retransmissions(local: SocketAddress, peer: SocketAddress): number {
    if (local.family === AF_UNIX || peer.family === AF_UNIX) return 0;
    return retransmissionsIn(this.#lines(local.family === AF_INET ? 'tcp' : 'tcp6'), local, peer);
  }

  #lines(table: Table): readonly string[] {
    const now = this.#clock.now();
    const last = this.#tables.get(table);
    // The clock may jump, either way.
    if (last !== undefined && Math.abs(now - last.at) < READ_AGAIN_SECONDS) return last.lines;
    const lines = this.#readLines(table);
    this.#tables.set(table, { at: now, lines });
    return lines;
  }
}

/** The same of the lines of /proc/net/tcp or /proc/net/tcp6. */
export function retransmissionsIn(lines: readonly string[], local: InetAddress, peer: InetAddress): number {
  const ends = `${inKernelsWords(local)} ${inKernelsWords(peer)}`;
  const line = lines.find((one) => one.includes(` ${ends} `));
  if (line === undefined) return 0;
  // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout …; the last is the count of probes.
  const [, , , , , , retransmissions = '0', , probes = '0'] = line.trim().split(/\s+/);
  return Number.parseInt(retransmissions, 16) + Number(probes);
}

function linesOf(table: Table): string[] {
  try {
    return readFileSync(`/proc/self/net/${table}`, 'latin1').split('\n');
  } catch (error) {
    // A connection that works must not end because nobody can read how well it does.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return [];
    throw error;
  }
}

/** `0100007F:2329`: the address in words of four bytes, each as this machine's number, and the port. */
function inKernelsWords({ family, address, port }: InetAddress): string {
  const bytes = family === AF_INET ? Uint8Array.from(address.split('.'), Number) : inet6Bytes(address);
  const words = new Uint32Array(bytes.buffer);
  const hex = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, '0');
  return `${[...words].map((word) => hex(word, 8)).join('')}:${hex(port, 4)}`;
}

function inet6Bytes(address: string): Uint8Array<ArrayBuffer> {
  // The URL parser writes an address that ends with an IPv4 one in groups, too.
  const bare = address.replace(/%.*$/u, '');
  const written = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [head = '', tail] = written.split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [first, last] = [groups(head), groups(tail)];
  const zeroes = Array.from({ length: 8 - first.length - last.length }, () => '0');
  const all = [...first, ...zeroes, ...last].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
