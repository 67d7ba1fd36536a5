// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import { freePort } from '../../scripts/free-port.js';
import { Daemon } from './daemon.js';

export interface PairOptions {
  /** Where the primary's directory is made. */
  readonly directory: string;
  /** Where the backup's is; unless given, where the primary's is. */
  readonly backupDirectory?: string;
  /** What its directories are called. */
  readonly name: string;
  /** Options of the primary's disk, such as `commit-on-flush=require`. */
  readonly options?: readonly string[];
  /** The backup's address; a free port of the loopback unless given. */
  readonly address?: string;
  readonly namespaces?: readonly [primary: string, backup: string];
}

/** A replicated disk: two daemons, the disk protected. */
export class Pair {
  readonly address: string;
  readonly primary: Daemon;
  readonly backup: Daemon;

  private constructor(address: string, primary: Daemon, backup: Daemon) {
    this.address = address;
    this.primary = primary;
    this.backup = backup;
  }

  static async start({ directory, name, options = [], ...rest }: PairOptions): Promise<Pair> {
    const address = rest.address ?? `127.0.0.1:${await freePort()}`;
    const [primaryNamespace, backupNamespace] = rest.namespaces ?? [];
    const backup = new Daemon({
      home: path.join(rest.backupDirectory ?? directory, `${name}-b`),
      filter: `remus:${address},role=backup,fifos=no|`,
      ...(backupNamespace !== undefined && { namespace: backupNamespace }),
    });
    const home = path.join(directory, `${name}-p`);
    const settings = [address, 'role=primary', `fifos=${home}`, ...options].join();
    const primary = new Daemon({
      home,
      filter: `remus:${settings}|`,
      ...(primaryNamespace !== undefined && { namespace: primaryNamespace }),
    });
    const pair = new Pair(address, primary, backup);
    await backup.start();
    await primary.start();
    await primary.settled();
    return pair;
  }

  async end(): Promise<void> {
    await this.primary.end();
    await this.backup.end();
  }
}
