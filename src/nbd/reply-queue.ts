// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../posix/errno.js';
import { SECTOR_SIZE } from '../disks/index.js';
import type { StatusExtent } from './block-status.js';
import { nbdError } from './errors.js';
import { ALLOCATION_CONTEXT_ID } from './protocol.js';
import type { ReplyFormat } from './replies.js';
import type { NbdRequest } from './requests.js';
import type { Sender } from './sender.js';
import type { ReadPiece } from './sparse-read.js';

export interface ReplyQueueParts {
  readonly format: ReplyFormat;
  readonly sender: Sender;
  /** Data is sent, or will not be. */
  readonly giveData: (data: Buffer) => void;
  /** A reply was queued. */
  readonly onQueued: () => void;
  /** A reply was wholly sent to a request with data of this many bytes. */
  readonly onSent: (bytes: number) => void;
}

/** Replies on their way to a client. */
export class ReplyQueue {
  readonly #parts: ReplyQueueParts;
  /** Pieces of data that are not wholly sent. */
  #dataPieces = 0;

  constructor(parts: ReplyQueueParts) {
    this.#parts = parts;
  }

  /** Whether data waits for the client to take it. */
  get isSendingData(): boolean {
    return this.#dataPieces > 0;
  }

  /** How a request without data to send has ended. `bytes`: of the data that came with it. */
  result(request: NbdRequest, result: number, bytes = 0): void {
    const { format, sender, onSent, onQueued } = this.#parts;
    sender.queue(format.result(request, nbdError(result), errnoCode(result)), () => onSent(bytes));
    onQueued();
  }

  /** What a READ has read. */
  data(request: NbdRequest, data: Buffer): void {
    const { format, sender, onSent, onQueued } = this.#parts;
    sender.queue(format.data(request, request.offset, data.length, true));
    this.#queueData(data, () => onSent(data.length));
    onQueued();
  }

  /** What a READ has read, with holes. `bytes`: of its data. */
  pieces(request: NbdRequest, pieces: readonly ReadPiece[], bytes: number): void {
    const { format, sender, onSent, onQueued } = this.#parts;
    pieces.forEach(({ sector, sectors, data }, index) => {
      const isLast = index === pieces.length - 1;
      const sent = isLast ? (): void => onSent(bytes) : undefined;
      const [offset, length] = [sector * SECTOR_SIZE, sectors * SECTOR_SIZE];
      if (data) {
        sender.queue(format.data(request, offset, length, isLast));
        this.#queueData(data, sent);
      } else {
        sender.queue(chunksOf(format).hole(request, offset, length, isLast), sent);
      }
    });
    onQueued();
  }

  /** What a range is made of. */
  status(request: NbdRequest, extents: readonly StatusExtent[]): void {
    const { format, sender, onSent, onQueued } = this.#parts;
    sender.queue(chunksOf(format).status(request, ALLOCATION_CONTEXT_ID, extents), () => onSent(0));
    onQueued();
  }

  /** Queues data of a READ; the buffer is given back once it is sent, before `sent` is called, or when it is dropped. */
  #queueData(data: Buffer, sent: (() => void) | undefined): void {
    this.#dataPieces++;
    const dropped = (): void => {
      this.#dataPieces--;
      this.#parts.giveData(data);
    };
    const gone = (): void => {
      dropped();
      sent?.();
    };
    this.#parts.sender.queue(data, gone, dropped);
  }
}

function chunksOf({ chunks }: ReplyFormat): NonNullable<ReplyFormat['chunks']> {
  if (!chunks) throw new Error('chunks for a client that takes none');
  return chunks;
}
