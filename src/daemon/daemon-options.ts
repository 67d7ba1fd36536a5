// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Dialect } from '../scheduler/dialect.js';
import type { NbdLimits, TlsServerOptions } from '../nbd/index.js';
import type { Priority } from '../server/logger.js';

/** The default time limit of an orderly shutdown, in seconds. */
export const DEFAULT_GRACE_SECONDS = 60;

/** A disk to open at the start. */
export interface DiskOption {
  readonly minor: number;
  /** Its NBD export's; the minor number unless given. */
  readonly exportName?: string;
  readonly name: string;
  readonly readOnly: boolean;
}

/** Certificate, key and authority are files in PEM; the rest is as in {@link TlsServerOptions}. */
export interface CertificateFiles extends Pick<TlsServerOptions, 'allow' | 'minVersion'> {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

/** A file of keys by the names of clients, as `parsePskFile` reads it. */
export interface PskFile extends Pick<TlsServerOptions, 'minVersion'> {
  readonly psk: string;
}

export type TlsOptions = CertificateFiles | PskFile;

/** The bounds of NBD that a daemon may set; see {@link NbdLimits}. */
export const NBD_LIMIT_OPTIONS = [
  'maxConnections',
  'maxConnectionsPerPeer',
  'handshakeTimeoutSeconds',
  'idleTimeoutSeconds',
  'maxRequestMemoryBytes',
] as const satisfies readonly (keyof NbdLimits)[];

/** What a daemon is to do. The bounds of NBD have their defaults unless given. */
export interface DaemonOptions extends Partial<Pick<NbdLimits, (typeof NBD_LIMIT_OPTIONS)[number]>> {
  readonly directory: string;
  /** In the order in which they were given. */
  readonly disks: readonly DiskOption[];
  /** Where NBD is served: a path or HOST:PORT each. */
  readonly nbd?: string | readonly string[] | undefined;
  /** Listening sockets that the process was started with, by their numbers there: NBD is served on them too. */
  readonly sockets?: readonly number[];
  /** With it, TLS is required. The files can be read again: see `Daemon.reload`. */
  readonly tls?: TlsOptions | undefined;
  /** Descriptions of NBD exports, by minor number. */
  readonly descriptions?: ReadonlyMap<number, string>;
  /** The disk for NBD clients that name none. */
  readonly defaultDisk?: number | undefined;
  /** A path or HOST:PORT. */
  readonly metrics?: string | undefined;
  /** Names under which metrics may be asked for, beside the one in `metrics`. */
  readonly metricsHosts?: readonly string[];
  /** A file with the token that metrics and the status page ask for; none is asked for unless given. */
  readonly metricsTokenFile?: string | undefined;
  readonly logLevel: Priority;
  /** Whose scheduler it runs on; tapdisk2's unless given. */
  readonly dialect?: Dialect;
  readonly trace?: { readonly file: string; readonly limitBytes: number } | undefined;
  /** 0: no limit. */
  readonly graceSeconds: number;
  /** A file that has the process's number while the daemon serves. */
  readonly pidFile?: string | undefined;
  /** It ends in order when its last NBD client has gone. */
  readonly exitWhenIdle?: boolean;
  /** It ends in order once the process that started it has ended. */
  readonly exitWithParent?: boolean;
  /** A program that is run at each change of a replicated disk's state. */
  readonly onState?: string | undefined;
}
