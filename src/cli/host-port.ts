// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { UsageError } from './usage-error.js';

const EXAMPLE = 'HOST:PORT is wanted, for example 127.0.0.1:9000';
const MAX_PORT = 65_535;

/**
 * Checks an address before the connect module sees it, which has one errno for everything.
 *
 * @param leastPort 0 where a free port may be taken, 1 else
 * @returns the address as it was given
 * @throws UsageError
 */
export function checkHostPort(text: string, leastPort: 0 | 1): string {
  const colon = text.indexOf(':');
  if (colon === -1) throw new UsageError(`${quoted(text)} has no port: ${EXAMPLE}`);
  if (text.startsWith('[') || text.indexOf(':', colon + 1) !== -1) {
    throw new UsageError(
      `${quoted(text)} has more than one colon: replication speaks IPv4 only; ${EXAMPLE}, or a name`,
    );
  }
  const host = text.slice(0, colon);
  const port = text.slice(colon + 1);
  if (host === '') {
    const everywhere = leastPort === 0 ? ' (0.0.0.0 stands for every address of this host)' : '';
    throw new UsageError(`${quoted(text)} has no host: ${EXAMPLE}${everywhere}`);
  }
  if (/[\s\p{Cc}]/u.test(host)) {
    throw new UsageError(`${quoted(text)} has a space or a control character in its host: ${EXAMPLE}`);
  }
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < leastPort || Number(port) > MAX_PORT) {
    throw new UsageError(
      `${quoted(text)} has the port ${quoted(port)}, but a port is a number from ${leastPort} to ${MAX_PORT}`,
    );
  }
  return text;
}

/** A text from outside as it can be shown: control characters would reach the terminal. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
