// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BlockList } from '../../posix/block-list.js';
import { AddressRange } from '../../server/address-range.js';
import { MIN_JOURNAL_BYTES, type ReplicationOptions } from '../../replication/disk/options.js';

/** What is the driver's own of its options. */
export interface FifoOptions {
  /** Where the FIFOs are; 'no': there are none. */
  readonly fifos?: string;
  /** C's: for everybody, less the umask. */
  readonly fifoMode?: 'private' | 'c';
}

/** Files in PEM, and fingerprints, for TLS with the other side. */
export interface RemusTlsOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly fingerprints?: readonly string[];
}

interface Known extends ReplicationOptions, FifoOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly fingerprints: readonly string[];
}

type Changes = { -readonly [Key in keyof Known]?: Known[Key] };

/** What an image's name says of its replication; `directory` is missing when it is to be beside the image. */
export type RemusOptions = Pick<ReplicationOptions, 'address'> &
  Partial<ReplicationOptions> &
  FifoOptions & { readonly tls?: RemusTlsOptions };

/** Sets an option to a value, or returns what was expected. */
type SetValue = (options: Changes, value: string) => string | undefined;

const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600 } as const;
const SIZES = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 } as const;

type Keys<Value> = {
  [Key in keyof ReplicationOptions]: ReplicationOptions[Key] extends Value ? Key : never;
}[keyof ReplicationOptions];

/** A time with its unit, from `least` to `most` seconds. */
function seconds(key: Keys<number>, least: number, most: number, isZeroFine = false): SetValue {
  return (options, value) => {
    const [, digits = '', unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(value) ?? [];
    const time = value === '0' ? 0 : Number(digits) * UNITS[unit as keyof typeof UNITS];
    if (!(time >= least && time <= most) && !(time === 0 && isZeroFine)) {
      return `a time from ${least} s to ${most} s, such as 25ms, 1s or 10m${isZeroFine ? ', or 0' : ''}`;
    }
    options[key] = time;
    return undefined;
  };
}

/** A number of bytes with a unit or none. */
function bytes(key: Keys<number>, least: number, most: number): SetValue {
  return (options, value) => {
    const [, digits = '', unit = ''] = /^(\d{1,13})([KMG]?)$/.exec(value) ?? [];
    const count = digits === '' ? Number.NaN : Number(digits) * SIZES[unit as keyof typeof SIZES];
    if (!(count >= least && count <= most)) return `a size from ${least} to ${most} bytes, such as 64M or 1G`;
    options[key] = count;
    return undefined;
  };
}

function oneOf<Value extends string>(
  set: (options: Changes, value: Value) => void,
  ...values: Value[]
): SetValue {
  return (options, value) => {
    const found = values.find((known) => known === value);
    if (found === undefined) return values.join(', ');
    set(options, found);
    return undefined;
  };
}

function absolutePath(key: 'directory' | 'cert' | 'key' | 'ca'): SetValue {
  return (options, value) => {
    options[key] = value;
    return value.startsWith('/') ? undefined : 'an absolute path';
  };
}

/** An address, or a range of them, that may or may not be the peer's; each adds to those before. */
function addresses(list: 'allow' | 'deny'): SetValue {
  return (options, value) => {
    if (AddressRange.parse(value) === undefined) return 'an IPv4 address, or a range such as 10.0.0.0/24';
    const [address = '', bits = '32'] = value.split('/');
    const listed = options.peers?.[list] ?? new BlockList();
    listed.addSubnet(address, Number(bits), 'ipv4');
    options.peers = { ...options.peers, [list]: listed };
    return undefined;
  };
}

const DAY = 86_400;
const GIB = 2 ** 30;

const SETTERS: ReadonlyMap<string, SetValue> = new Map<string, SetValue>([
  ['role', oneOf((options, role) => (options.role = role), 'auto', 'primary', 'backup')],
  ['peer', oneOf((options, peer) => (options.peer = peer), 'auto', 'own', 'c')],
  ['done', oneOf((options, done) => (options.done = done), 'durable', 'received')],
  ['commit-on-flush', oneOf((options, value) => (options.commitOnFlush = value), 'off', 'prefer', 'require')],
  ['initialise', oneOf((options, value) => (options.initialise = value === 'yes'), 'yes', 'no')],
  ['interval', seconds('checkpointIntervalSeconds', 0.025, DAY, true)],
  ['flush-limit', seconds('flushLimitSeconds', 1, DAY)],
  ['stall', seconds('stallSeconds', 0.1, DAY)],
  ['ping', seconds('pingSeconds', 0.1, DAY)],
  ['peer-timeout', seconds('peerTimeoutSeconds', 0.5, DAY)],
  ['message-timeout', seconds('messageSeconds', 0.1, DAY)],
  ['journal', bytes('journalBytes', MIN_JOURNAL_BYTES, 1024 * GIB)],
  ['memory', bytes('memoryBytes', 1 << 20, 64 * GIB)],
  ['queue', bytes('queueBytes', 1 << 20, 64 * GIB)],
  ['verify-rate', bytes('verifyBytesPerSecond', 0, GIB)],
  ['directory', absolutePath('directory')],
  ['tls-cert', absolutePath('cert')],
  ['tls-key', absolutePath('key')],
  ['tls-ca', absolutePath('ca')],
  ['allow', addresses('allow')],
  ['deny', addresses('deny')],
  ['fifo-mode', oneOf((options, mode) => (options.fifoMode = mode), 'private', 'c')],
  [
    'fifos',
    (options, value) => {
      options.fifos = value;
      return value.startsWith('/') || value === 'no' ? undefined : 'an absolute path of a directory, or no';
    },
  ],
  [
    'tls-fingerprint',
    (options, value) => {
      options.fingerprints = [...(options.fingerprints ?? []), value];
      return /^([0-9a-f]{2}:?){32}$/i.test(value)
        ? undefined
        : 'a SHA-256 fingerprint of 64 hexadecimal digits';
    },
  ],
]);

/** Where the state is unless a directory is given: beside the image. */
export function stateDirectoryOf(image: string): string {
  return `${image}.remus`;
}

/**
 * The options of `HOST:PORT[,KEY=VALUE…]`.
 *
 * @returns them, or what is wrong and what would be right
 */
export function parseRemusArgument(argument: string): RemusOptions | string {
  const [address = '', ...settings] = argument.split(',');
  const port = Number(/^[^:]+:(\d{1,5})$/.exec(address)?.[1]);
  if (!(port >= 1 && port <= 65_535)) {
    return `${JSON.stringify(address)} is not an address: expected remus:HOST:PORT, with a port from 1 to 65535`;
  }
  const options: Changes & { address: string } = { address };
  for (const setting of settings) {
    const [key = '', ...rest] = setting.split('=');
    const set = SETTERS.get(key);
    if (set === undefined) {
      return `unknown option ${JSON.stringify(key)}: expected one of ${[...SETTERS.keys()].join(', ')}`;
    }
    const value = rest.join('=');
    const expected = set(options, value);
    if (expected !== undefined) return `${key}=${JSON.stringify(value)} cannot be: expected ${expected}`;
  }
  return withTls(options);
}

function withTls({
  cert,
  key,
  ca,
  fingerprints,
  ...options
}: Changes & { address: string }): RemusOptions | string {
  const isAny = [cert, key, ca, fingerprints].some((given) => given !== undefined);
  if (!isAny) return options;
  if (cert === undefined || key === undefined) return 'TLS needs both tls-cert and tls-key';
  if (ca === undefined && fingerprints === undefined) return 'TLS needs tls-ca or tls-fingerprint';
  if (options.peer === 'c') return 'peer=c and TLS are mutually exclusive: the C driver has none';
  return { ...options, tls: { cert, key, ...(ca && { ca }), ...(fingerprints && { fingerprints }) } };
}
