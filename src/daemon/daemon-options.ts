// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Dialect } from '../scheduler/dialect.js';
import type { TlsServerOptions } from '../nbd/index.js';
import type { Priority } from '../server/logger.js';

/** An orderly end may take so long, in seconds, unless set otherwise. */
export const DEFAULT_GRACE_SECONDS = 60;

/** A disk to open at the start. */
export interface DiskOption {
  readonly minor: number;
  /** Its NBD export's; the minor number unless given. */
  readonly exportName?: string;
  readonly name: string;
  readonly readOnly: boolean;
}

export interface TlsOptions extends Pick<TlsServerOptions, 'allow' | 'minVersion'> {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

/** What a daemon is to do. */
export interface DaemonOptions {
  readonly directory: string;
  /** In the order in which they were given. */
  readonly disks: readonly DiskOption[];
  /** A path or HOST:PORT. */
  readonly nbd?: string | undefined;
  /** How TLS is spoken. Certificate, key and authority are files in PEM; the rest is as {@link TlsServerOptions} has it. */
  readonly tls?: TlsOptions | undefined;
  /** See `NbdLimits`; its default unless given. */
  readonly maxConnections?: number;
  /** What people are told of an NBD export, by minor number. */
  readonly descriptions?: ReadonlyMap<number, string>;
  /** The disk that NBD clients get who name none. */
  readonly defaultDisk?: number | undefined;
  /** A path or HOST:PORT. */
  readonly metrics?: string | undefined;
  /** Names under which metrics may be asked for, beside the one in `metrics`. */
  readonly metricsHosts?: readonly string[];
  /** See `NbdLimits`; its default unless given. */
  readonly maxRequestMemoryBytes?: number;
  readonly logLevel: Priority;
  /** Whose scheduler it runs on; tapdisk2's unless given. */
  readonly dialect?: Dialect;
  readonly trace?: { readonly file: string; readonly limitBytes: number } | undefined;
  /** 0: no limit. */
  readonly graceSeconds: number;
  /** A program that is run at each change of a replicated disk's state. */
  readonly onState?: string | undefined;
}
