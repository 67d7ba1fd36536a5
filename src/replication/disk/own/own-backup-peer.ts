// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BitSet } from '../bit-set.js';
import { type BackupPeer, type BackupPeerEvents, COMPARED, type SyncChannel } from '../sessions.js';
import {
  extentsBody,
  type FrameExtent,
  type FrameName,
  MAX_FRAME_DATA,
  MAX_FRAME_SECTORS,
  numbersBody,
  ProtocolError,
  readNumber,
} from '../wire/frame.js';
import { SECTOR_SIZE } from '../local-disk.js';
import { DueReplies } from './due-replies.js';
import { MapReader } from './map-frames.js';
import type { OwnLink } from './own-link.js';
import { decodeReason } from './reason.js';

/** The primary's side of a connection to an own backup, after both have agreed. */
export class OwnBackupPeer implements BackupPeer {
  readonly kind = 'own';
  readonly canAbort = true;
  readonly sync: SyncChannel;
  readonly #link: OwnLink;
  readonly #events: BackupPeerEvents;
  readonly #grains: number;
  /** Begins that the backup has not replied to: only the last reply counts. */
  #begins = 0;
  #received: MapReader;
  readonly #due = new DueReplies();

  /** @param grains how many the disk has, of so many sectors each */
  constructor(link: OwnLink, grains: number, grainSectors: number, events: BackupPeerEvents) {
    this.#grains = grains;
    this.#received = new MapReader(new BitSet(grains));
    this.#link = link;
    this.#events = events;
    this.sync = {
      begin: (resyncId, count, isFirst) => {
        const ids = Buffer.from(resyncId, 'hex');
        this.#begins += 1;
        link.send('syncBegin', [Buffer.concat([ids, numbersBody(count, grainSectors, isFirst ? 1 : 0)])]);
      },
      // Each grain has a crc of its own, which the backup keeps for it.
      send: (sector, bytes) =>
        this.#due.sentData(link.send('syncData', extentsBody(inGrains(sector, bytes, grainSectors)))),
      zero: (sector, sectors) => this.#due.sentData(this.#sendZeroes('syncData', sector, sectors)),
      compare: (sector, sectors, sum) =>
        this.#due.asked(this.#send('compare', { sector, sectors, data: sum })),
    };
    link.events = {
      frame: (name, body) => this.#frame(name, body),
      drained: () => events.drained(),
      lost: (reason) => events.lost(reason),
    };
  }

  get queuedBytes(): number {
    return this.#link.queuedBytes;
  }
  get sentBytes(): number {
    return this.#link.sentBytes;
  }

  write(sector: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_FRAME_DATA) {
      const data = bytes.subarray(at, at + MAX_FRAME_DATA);
      this.#send('write', { sector: sector + at / SECTOR_SIZE, sectors: data.length / SECTOR_SIZE, data });
    }
  }
  zero(sector: number, sectors: number): void {
    this.#sendZeroes('write', sector, sectors);
  }

  commit(epoch: number, generation: string): () => void {
    const letGo = this.#link.gate();
    this.#link.send('commit', [Buffer.concat([numbersBody(epoch), Buffer.from(generation, 'hex')])]);
    return () => {
      this.#due.sentCommit(epoch);
      letGo();
    };
  }

  abort(): void {
    this.#link.send('abort');
  }
  close(): void {
    this.#link.close();
  }

  #sendZeroes(name: FrameName, sector: number, sectors: number): number {
    let sequence = 0;
    for (let at = 0; at < sectors; at += MAX_FRAME_SECTORS) {
      const part = Math.min(sectors - at, MAX_FRAME_SECTORS);
      sequence = this.#send(name, { sector: sector + at, sectors: part, data: undefined });
    }
    return sequence;
  }

  #send(name: FrameName, extent: Omit<FrameExtent, 'crc'>): number {
    return this.#link.send(name, extentsBody([extent]));
  }

  #frame(name: FrameName, body: Uint8Array): void {
    switch (name) {
      case 'done':
        this.#events.acked(this.#due.done(readNumber(body)));
        return;
      case 'progress':
        this.#events.progress(this.#due.progress(readNumber(body)));
        return;
      case 'map':
        this.#map(body);
        return;
      case 'compared': {
        const sequence = this.#due.compared(readNumber(body.subarray(0, 8)));
        this.#events.compared(sequence, COMPARED[body[8] as number] ?? 'different');
        return;
      }
      case 'fail': {
        const { epoch, reason } = decodeReason(body);
        this.#due.failed(epoch);
        this.#events.failed(epoch, reason);
        return;
      }
      case 'busy':
      case 'refused': {
        const { code, reason } = decodeReason(body);
        this.#link.close();
        this.#events.lost(`the backup ends the connection: ${reason}`, code);
        return;
      }
      default:
        throw new ProtocolError(`a backup does not send ${name}`);
    }
  }
  #map(body: Uint8Array): void {
    if (this.#begins === 0) throw new ProtocolError('a map comes without a sync begin');
    this.#received.take(body);
    if (body.length > 0) return;
    const { grains } = this.#received;
    this.#received = new MapReader(new BitSet(this.#grains));
    this.#begins -= 1;
    if (this.#begins === 0) this.#events.begun(grains);
  }
}

function inGrains(sector: number, bytes: Uint8Array, grainSectors: number): Omit<FrameExtent, 'crc'>[] {
  const each = grainSectors * SECTOR_SIZE;
  return Array.from({ length: Math.ceil(bytes.length / each) }, (_, index) => {
    const data = bytes.subarray(index * each, (index + 1) * each);
    return { sector: sector + index * grainSectors, sectors: data.length / SECTOR_SIZE, data };
  });
}
