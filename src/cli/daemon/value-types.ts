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

/** A disk's export name, if it is not its minor number. */
const EXPORT_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** The minor number that a disk is referred to by, which has no name. @throws UsageError */
function minorIn(text: string): number {
  if (/^\d+$/.test(text)) return minorNumber.parse(text);
  throw new UsageError(
    "expected a minor number, or a name of at most 64 characters: a letter, then letters, digits, '.', '_' or '-'",
  );
}

/** What is asked to be opened: under a minor number, or under a name and whichever number is free. */
export interface DiskValue {
  readonly minor?: number;
  readonly exportName?: string;
  readonly name: string;
}

/** A disk to open: `0=aio:/path`, `data=aio:/path`. */
export const diskName: ValueType<DiskValue> = {
  placeholder: 'DISK=TYPE:FILE',
  parse(text) {
    const { disk, name } = /^(?<disk>[^=]*)=(?<name>.*)$/s.exec(text)?.groups ?? {};
    if (disk === undefined || name === undefined)
      throw new UsageError('expected DISK=TYPE:FILE, for example 0=aio:/path or data=aio:/path');
    if (EXPORT_NAME.test(disk)) return { exportName: disk, name: imageName.parse(name) };
    return { minor: minorIn(disk), name: imageName.parse(name) };
  },
};

/** The description of a disk: `0=TEXT`, `data=TEXT`. */
export const diskDescription: ValueType<readonly [disk: string, text: string]> = {
  placeholder: 'DISK=TEXT',
  parse(text) {
    const [, disk = '', description = ''] = /^([^=]+)=(\P{Cc}{1,1024})$/u.exec(text) ?? [];
    if (disk === '') throw new UsageError('expected DISK=TEXT, with one line of at most 1024 characters');
    return [disk, description];
  },
};

/** A disk by its minor number or export name. */
export const diskReference: ValueType<string> = {
  placeholder: 'DISK',
  parse(text) {
    return EXPORT_NAME.test(text) ? text : String(minorIn(text));
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

/** Stands for the sockets that systemd passes. */
export const PASSED_SOCKETS = 'systemd';

/** Where NBD is served: as {@link serverAddress}, or on sockets that were passed. */
export const nbdAddress: ValueType<string> = {
  ...serverAddress,
  parse: (text) => (text === PASSED_SOCKETS ? text : serverAddress.parse(text)),
};

/** Whom TLS admits: a fingerprint, or parts of a subject. */
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

/** The name of a host, or an address, as it stands in a Host field. */
export const hostName: ValueType<string> = {
  placeholder: 'NAME',
  parse(text) {
    if (!/^(?:[\w.~-]+|[\d.a-f]*:[\d:.a-f]*)$/i.test(text))
      throw new UsageError('expected a host name or address without a port');
    return text;
  },
};
