// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../local-disk.js';
import type { ReplicationOptions } from '../options.js';
import type { BackupPeer } from '../sessions.js';
import type { Grains } from './grains.js';

/** What a write takes beside its bytes, roughly. */
const OVERHEAD_BYTES = 512;

interface EarlyWrite {
  readonly sector: number;
  readonly sectors: number;
  /** undefined: zeroes. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * The writes until a C backup is connected for the first time. It gets them one by one as they were made, and no commit that
 * nobody asked for: what the C driver, which makes them wait for the connection, would send.
 */
export class EarlyWrites {
  readonly #limit: number;
  #writes: EarlyWrite[] | undefined = [];
  #bytes = 0;

  /** With more than may wait to be sent, and with a disk that has changes already, nothing is sent so. */
  constructor({ peer, queueBytes }: ReplicationOptions, { toSend }: Grains) {
    this.#limit = queueBytes;
    if (peer !== 'c' || toSend.count > 0) this.drop();
  }

  /** The bytes are copied. */
  add(sector: number, sectors: number, bytes: Uint8Array | undefined): void {
    if (this.#writes === undefined) return;
    this.#bytes += (bytes?.length ?? 0) + OVERHEAD_BYTES;
    if (this.#bytes > this.#limit) this.drop();
    else this.#writes.push({ sector, sectors, bytes: bytes && Uint8Array.from(bytes) });
  }

  /** There is something to be sent that is not here. */
  drop(): void {
    this.#writes = undefined;
  }

  /** Sends what there is, if it is all that the backup lacks, as a part of the open checkpoint; how many bytes. */
  sendTo(peer: BackupPeer, grains: Grains): number {
    const writes = this.#writes;
    this.drop();
    if (writes === undefined || peer.sync !== undefined) return 0;
    grains.sent();
    let sent = 0;
    for (const { sector, sectors, bytes } of writes) {
      sent += sectors * SECTOR_SIZE;
      if (bytes) peer.write(sector, bytes);
      else peer.zero(sector, sectors);
    }
    return sent;
  }
}
