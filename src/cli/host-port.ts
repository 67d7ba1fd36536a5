// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ValueType } from './command-line/value-type.js';
import { quoted, UsageError } from './usage-error.js';

const EXPECTED = 'expected HOST:PORT, for example 127.0.0.1:9000';
const MAX_PORT = 65_535;

/**
 * An address, checked before the connect module sees it, which has one errno for everything. The value is the text as it
 * was given.
 *
 * @param minPort 0 where a free port may be picked, 1 elsewhere
 */
export function hostPort(minPort: 0 | 1): ValueType<string> {
  return { placeholder: 'HOST:PORT', parse: (text) => checkHostPort(text, minPort) };
}

function checkHostPort(text: string, minPort: 0 | 1): string {
  const colon = text.indexOf(':');
  if (colon === -1) throw new UsageError(`missing port; ${EXPECTED}`);
  if (text.startsWith('[') || text.indexOf(':', colon + 1) !== -1) {
    throw new UsageError(`more than one colon, and replication supports IPv4 only; ${EXPECTED}`);
  }
  const host = text.slice(0, colon);
  const port = text.slice(colon + 1);
  if (host === '') {
    const everywhere = minPort === 0 ? ', or 0.0.0.0:PORT for all addresses of this host' : '';
    throw new UsageError(`missing host; ${EXPECTED}${everywhere}`);
  }
  if (/[\s\p{Cc}]/u.test(host)) {
    throw new UsageError(`space or control character in the host; ${EXPECTED}`);
  }
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < minPort || Number(port) > MAX_PORT) {
    throw new UsageError(`invalid port ${quoted(port)}; expected a number from ${minPort} to ${MAX_PORT}`);
  }
  return text;
}
