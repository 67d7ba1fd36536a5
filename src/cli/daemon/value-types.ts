// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseNbdAddress } from '../../nbd/nbd-address.js';
import { fingerprintIn } from '../../nbd/tls-clients.js';
import { type Priority, priorityName } from '../../server/logger.js';
import type { ValueType } from '../command-line/value-type.js';
import { imageName, minorNumber } from '../control-values.js';
import { UsageError } from '../usage-error.js';

const priorities = [0, 1, 2, 3, 4, 5, 6, 7] as const satisfies readonly Priority[];

/** The names of syslog's priorities, the gravest one first. */
export const LOG_LEVELS = priorities.map(priorityName);

/** The priority that a name of {@link LOG_LEVELS} stands for. */
export function priorityNamed(name: (typeof LOG_LEVELS)[number]): Priority {
  return LOG_LEVELS.indexOf(name) as Priority;
}

/** A disk to open: `0=aio:/path`. */
export const diskName: ValueType<{ readonly minor: number; readonly name: string }> = {
  placeholder: 'MINOR=TYPE:FILE',
  parse(text) {
    const { minor, name } = /^(?<minor>[^=]*)=(?<name>.*)$/s.exec(text)?.groups ?? {};
    if (minor === undefined || name === undefined)
      throw new UsageError('expected MINOR=TYPE:FILE, for example 0=aio:/path');
    return { minor: minorNumber.parse(minor), name: imageName.parse(name) };
  },
};

/** A path or HOST:PORT, as it was given. */
export const serverAddress: ValueType<string> = {
  placeholder: 'ADDRESS',
  completion: 'file',
  parse(text) {
    const wrong = parseNbdAddress(text);
    if (typeof wrong === 'string') throw new UsageError(wrong);
    return text;
  },
};

/** Whom TLS lets in: a fingerprint, or parts of a subject. */
export const tlsClient: ValueType<string> = {
  placeholder: 'CLIENT',
  parse(text) {
    if (fingerprintIn(text) !== undefined || /^[A-Za-z0-9.]+=[^,]+(?:,[A-Za-z0-9.]+=[^,]+)*$/.test(text))
      return text;
    throw new UsageError(
      'expected a SHA-256 fingerprint of 64 hexadecimal digits, or NAME=VALUE[,NAME=VALUE…], such as CN=backup',
    );
  },
};
