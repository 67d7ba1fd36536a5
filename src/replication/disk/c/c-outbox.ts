// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { PeerStream } from '../wire/peer-stream.js';
import { MAX_WRITE_SECTORS, writeMessages } from './c-message.js';
import { SECTOR_SIZE } from '../local-disk.js';

/** How many sectors of zeroes become messages at a time. */
const ZERO_SECTORS = 8 * MAX_WRITE_SECTORS;
/** Zeroes become messages while less than this waits in the stream. */
const MAX_STREAM_BYTES = 256 << 10;

/** What waits for the stream. A range of zeroes, for which the C driver has no message, takes no memory here. */
type Item =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'zeroes'; sector: number; sectors: number }
  | { readonly kind: 'gate'; isOpen: boolean };

/** Sends messages to a C backup in order. */
export class COutbox {
  readonly #stream: PeerStream;
  #items: Item[] = [];
  #bytes = 0;
  #gates = 0;

  constructor(stream: PeerStream) {
    this.#stream = stream;
  }

  /** What waits, in the stream too. */
  get queuedBytes(): number {
    return this.#bytes + this.#stream.queuedBytes;
  }
  /** Whether something waits for the system, and not for a gate. */
  get isSending(): boolean {
    return this.#gates === 0 && this.queuedBytes > 0;
  }

  /** The bytes are copied unless they can be sent now. */
  send(bytes: Uint8Array): void {
    if (this.#items.length === 0) {
      this.#stream.send(bytes);
      return;
    }
    this.#items.push({ kind: 'bytes', bytes: Uint8Array.from(bytes) });
    this.#bytes += bytes.length;
  }

  zero(sector: number, sectors: number): void {
    this.#items.push({ kind: 'zeroes', sector, sectors });
    this.#bytes += sectors * SECTOR_SIZE;
    this.pump();
  }

  /** Keeps back what is sent from now on, until what is returned is called. */
  gate(): () => void {
    const gate: Item = { kind: 'gate', isOpen: false };
    this.#gates += 1;
    this.#items.push(gate);
    return () => {
      this.#gates -= 1;
      gate.isOpen = true;
      this.pump();
    };
  }

  /** Hands on to the stream what it may have. To be called when it has drained. */
  pump(): void {
    const stream = this.#stream;
    while (stream.queuedBytes < MAX_STREAM_BYTES && !stream.isOver) {
      const item = this.#items[0];
      if (item === undefined || (item.kind === 'gate' && !item.isOpen)) return;
      if (item.kind === 'zeroes') {
        this.#zeroes(item);
        continue;
      }
      this.#items.shift();
      if (item.kind === 'gate') continue;
      this.#bytes -= item.bytes.length;
      stream.send(item.bytes);
    }
  }

  #zeroes(item: { sector: number; sectors: number }): void {
    const sectors = Math.min(item.sectors, ZERO_SECTORS);
    const messages = writeMessages(item.sector, sectors);
    item.sector += sectors;
    item.sectors -= sectors;
    this.#bytes -= sectors * SECTOR_SIZE;
    if (item.sectors === 0) this.#items.shift();
    this.#stream.send(messages);
  }
}
