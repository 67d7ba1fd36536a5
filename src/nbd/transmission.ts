// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import {
  type BlockDevice,
  type BlockStatusDone,
  type ChangeOptions,
  type Done,
  ESHUTDOWN,
  SECTOR_SIZE,
} from '../disks/index.js';
import type { BufferPool } from '../posix/buffers.js';
import { allocationOf, sectorsAround } from './block-status.js';
import { cacheRange } from './cache-range.js';
import type { Negotiated } from './exports.js';
import { parseStatusFilter, STATUS_FILTER_BYTES } from './meta-context.js';
import {
  ALLOCATION_CONTEXT_ID,
  CMD_BLOCK_STATUS,
  CMD_CACHE,
  CMD_DISC,
  CMD_FLAG_DF,
  CMD_FLAG_FAST_ZERO,
  CMD_FLAG_FUA,
  CMD_FLAG_NO_HOLE,
  CMD_FLAG_PAYLOAD_LEN,
  CMD_FLAG_REQ_ONE,
  CMD_FLUSH,
  CMD_READ,
  CMD_TRIM,
  CMD_WRITE,
  CMD_WRITE_ZEROES,
  MAX_PAYLOAD_BYTES,
} from './protocol.js';
import type { MemoryShare } from './request-memory.js';
import type { Receiver } from './receiver.js';
import { replyFormats } from './replies.js';
import { ReplyQueue } from './reply-queue.js';
import {
  EXTENDED_REQUEST_BYTES,
  isValidRequest,
  type NbdRequest,
  parseExtendedRequest,
  parseRequest,
  REQUEST_BYTES,
  type RequestFields,
} from './requests.js';
import { MIN_SPARSE_BYTES, type ReadPiece, piecesOf, readPieces } from './sparse-read.js';
import type { Sender } from './sender.js';

/** The data of a request that is refused is dropped up to this many bytes; with more the connection ends. */
const MAX_SKIPPED_BYTES = 0xffff_ffff;

export interface TransmissionParts extends Negotiated {
  readonly device: BlockDevice;
  readonly receiver: Receiver;
  readonly sender: Sender;
  readonly pool: BufferPool<Buffer>;
  /** This connection's share of the memory for data. */
  readonly memory: MemoryShare;
  /** No further request is read while so many are in flight, the sending of their replies included. */
  readonly maxRequestsInFlight: number;
  /** No further request is read while data of this many bytes is in flight; what is in flight exceeds it by one request at most. */
  readonly maxBytesInFlight: number;
  /** Runs a task in a later turn of the scheduler. */
  readonly post: (task: () => void) => void;
  /** Something was queued to the sender. */
  readonly onQueued: () => void;
  /** The receiver expects something again, perhaps after a time of not doing so. */
  readonly onExpecting: () => void;
  /** A reply was wholly sent: perhaps nothing is in flight any more. */
  readonly onAnswered: () => void;
  /** The client disconnects, or has said what cannot be understood: no further request is read. */
  readonly onEnd: (reason: string) => void;
}

/**
 * The server's side of the transmission phase: requests in, replies out, in whatever order they complete.
 *
 * What a client asks for wrongly (outside of the disk, unknown commands or flags) is answered with an
 * error and has no effect; only what leaves the stream's place unknown ends the connection.
 */
export class Transmission {
  readonly #parts: TransmissionParts;
  readonly #isExtended: boolean;
  readonly #header: Buffer;
  readonly #replies: ReplyQueue;
  #requestsInFlight = 0;
  #bytesInFlight = 0;
  /** Too much is in flight: no request is read until half of it is gone. */
  #full = false;
  #ended = false;
  /** Forgets the request whose data is coming, or that waits for memory. */
  #abandonReceiving: (() => void) | undefined;
  #isReceivingData = false;

  constructor(parts: TransmissionParts) {
    this.#parts = parts;
    const { replies, sender, onQueued } = parts;
    this.#isExtended = replies === 'extended';
    this.#header = Buffer.alloc(this.#isExtended ? EXTENDED_REQUEST_BYTES : REQUEST_BYTES);
    this.#replies = new ReplyQueue({
      format: replyFormats[replies],
      sender,
      giveData: (data) => this.#giveData(data),
      onQueued,
      onSent: (bytes) => this.#sent(bytes),
    });
  }

  /** Requests that were read and whose replies are not wholly sent. */
  get requestsInFlight(): number {
    return this.#requestsInFlight;
  }

  /** Whether a request has come without its data, or without all of it. */
  get isReceivingData(): boolean {
    return this.#isReceivingData;
  }
  /** Whether data waits for the client to take it. */
  get isSendingData(): boolean {
    return this.#replies.isSendingData;
  }

  expectRequest(): void {
    if (this.#ended) return;
    const { maxRequestsInFlight, maxBytesInFlight, receiver } = this.#parts;
    this.#full = this.#requestsInFlight >= maxRequestsInFlight || this.#bytesInFlight >= maxBytesInFlight;
    if (!this.#full) receiver.expect(this.#header, () => this.#request());
  }

  /** Reads no further request. Those that were wholly read are still answered. The receiver has been stopped. */
  end(): void {
    this.#ended = true;
    this.#abandonReceiving?.();
    this.#abandonReceiving = undefined;
  }

  #request(): void {
    const request = this.#isExtended ? parseExtendedRequest(this.#header) : parseRequest(this.#header);
    const misfit = request && this.#payloadFault(request);
    if (!request) {
      this.#parts.onEnd('a request without its magic');
    } else if (misfit !== undefined) {
      this.#parts.onEnd(misfit);
    } else if (request.command === CMD_DISC) {
      this.#parts.onEnd('the client disconnects');
    } else {
      this.#requestsInFlight++;
      const error = this.#errorOf(request);
      if (request.payloadBytes > 0) this.#receivePayload(request, error);
      else {
        if (error < 0) this.#replies.result(request, error);
        else if (request.command === CMD_READ) return this.#readWithMemory(request);
        else this.#start(request);
        this.expectRequest();
      }
    }
  }

  /** Why it cannot be known where the next request starts, or undefined. */
  #payloadFault({ command, flags, length, payloadBytes }: NbdRequest): string | undefined {
    if (payloadBytes > MAX_SKIPPED_BYTES) return `a request with ${payloadBytes} bytes of data`;
    const isMissing = this.#isExtended && command === CMD_WRITE && (flags & CMD_FLAG_PAYLOAD_LEN) === 0;
    return isMissing && length > 0 ? 'a write without PAYLOAD_LEN' : undefined;
  }

  /** What speaks against a request before the disk is asked: a negative errno, or 0. */
  #errorOf(request: NbdRequest): number {
    const { device, replies, allocation } = this.#parts;
    const { command, flags, payloadBytes } = request;
    if (!isValidRequest(request, this.#isExtended)) return -errno.EINVAL;
    if ((flags & CMD_FLAG_DF) !== 0 && replies === 'simple') return -errno.EINVAL;
    if (command === CMD_BLOCK_STATUS && !allocation) return -errno.EINVAL;
    if (!device.isOpen) return -ESHUTDOWN;
    const changes = command === CMD_WRITE || command === CMD_WRITE_ZEROES || command === CMD_TRIM;
    if (changes && device.readOnly) return -errno.EPERM;
    if (command === CMD_TRIM && !device.canDiscard) return -errno.EINVAL;
    // The range is in the payload.
    if (command === CMD_BLOCK_STATUS && payloadBytes > 0) {
      return payloadBytes === STATUS_FILTER_BYTES ? 0 : -errno.EINVAL;
    }
    return this.#rangeError(request);
  }

  #rangeError({ command, offset, length }: RequestFields): number {
    const { device } = this.#parts;
    // What reads nothing is an error: its reply has no chunk that all clients understand.
    const needsLength = command === CMD_READ || command === CMD_BLOCK_STATUS;
    if (needsLength && length === 0) return -errno.EINVAL;
    if ((command === CMD_READ || command === CMD_WRITE) && length > MAX_PAYLOAD_BYTES) return -errno.EINVAL;
    if (offset + length <= device.sizeBytes) return 0;
    return command === CMD_WRITE || command === CMD_WRITE_ZEROES ? -errno.ENOSPC : -errno.EINVAL;
  }

  #receivePayload(request: NbdRequest, error: number): void {
    const { receiver } = this.#parts;
    const { command, payloadBytes } = request;
    if (error >= 0 && command === CMD_WRITE) {
      this.#withMemory(payloadBytes, () => this.#receiveInto(request, this.#takeData(payloadBytes)));
      return;
    }
    this.#isReceivingData = true;
    this.#abandonReceiving = () => this.#requestsInFlight--;
    if (error >= 0) {
      const filter = Buffer.alloc(payloadBytes);
      receiver.expect(filter, () => {
        this.#received();
        this.#filteredStatus(request, filter);
        this.expectRequest();
      });
      return;
    }
    receiver.skip(payloadBytes, () => {
      this.#received();
      this.#replies.result(request, error);
      this.expectRequest();
    });
  }

  #receiveInto(request: NbdRequest, data: Buffer): void {
    this.#isReceivingData = true;
    this.#abandonReceiving = () => {
      this.#requestsInFlight--;
      this.#bytesInFlight -= data.length;
      this.#giveData(data);
    };
    this.#parts.receiver.expect(data, () => {
      this.#received();
      this.#write(request, data);
      this.expectRequest();
    });
  }

  #received(): void {
    this.#abandonReceiving = undefined;
    this.#isReceivingData = false;
  }

  #readWithMemory(request: NbdRequest): void {
    this.#withMemory(request.length, () => {
      this.#read(request);
      this.expectRequest();
    });
  }

  /** Goes on with a request once there is memory for its data; until then no further one is read. */
  #withMemory(bytes: number, then: () => void): void {
    const { memory, onExpecting } = this.#parts;
    this.#abandonReceiving = () => {
      this.#requestsInFlight--;
      memory.leave();
    };
    memory.take(bytes, () => {
      this.#abandonReceiving = undefined;
      then();
      onExpecting();
    });
  }

  #takeData(length: number): Buffer {
    this.#bytesInFlight += length;
    return this.#parts.pool.take(length);
  }
  #giveData(data: Buffer): void {
    this.#parts.pool.give(data);
    this.#parts.memory.give(data.length);
  }

  #write(request: NbdRequest, data: Buffer): void {
    const { device } = this.#parts;
    const written: Done = (result) => {
      this.#giveData(data);
      this.#replies.result(request, result, data.length);
    };
    device.writeBytes(request.offset, data, written, changeOptions(request));
  }

  #start(request: NbdRequest): void {
    const { device, pool, post, sender } = this.#parts;
    const { command, offset, length } = request;
    const done: Done = (result) => this.#replies.result(request, result);
    if (command === CMD_FLUSH) {
      device.flush(done);
    } else if (length === 0) {
      // The protocol leaves it open what this means. Nothing was asked for, and that is done.
      done(0);
    } else if (command === CMD_TRIM) {
      device.discardBytes(offset, length, done, changeOptions(request));
    } else if (command === CMD_WRITE_ZEROES) {
      const noHole = (request.flags & CMD_FLAG_NO_HOLE) !== 0;
      const fast = (request.flags & CMD_FLAG_FAST_ZERO) !== 0;
      // Unlike a hint, a change goes on after the client's goodbye, for as long as it can be answered.
      const isNeeded = (): boolean => !sender.isClosed;
      device.zeroBytes(offset, length, done, { ...changeOptions(request), noHole, fast, isNeeded });
    } else if (command === CMD_BLOCK_STATUS) {
      this.#blockStatus(request);
    } else if (command === CMD_CACHE) {
      const isNeeded = (): boolean => !this.#ended;
      cacheRange({ device, pool, post, isNeeded }, sectorsAround(offset, length), done);
    }
  }

  /** A BLOCK_STATUS whose payload has its range's length and the context that is meant. */
  #filteredStatus(request: NbdRequest, filter: Buffer): void {
    const { length, context } = parseStatusFilter(filter);
    const filtered = { ...request, length };
    const error = context === ALLOCATION_CONTEXT_ID ? this.#rangeError(filtered) : -errno.EINVAL;
    if (error < 0) this.#replies.result(request, error);
    else this.#blockStatus(filtered);
  }

  #blockStatus(request: NbdRequest): void {
    const { device, post } = this.#parts;
    const { offset, length, flags } = request;
    const one = (flags & CMD_FLAG_REQ_ONE) !== 0;
    allocationOf({ device, offset, length, one, post }, (result, extents) => {
      if (result < 0) this.#replies.result(request, result);
      else this.#replies.status(request, extents);
    });
  }

  #read(request: NbdRequest): void {
    const { device, replies } = this.#parts;
    const sector = request.offset / SECTOR_SIZE;
    const sectors = request.length / SECTOR_SIZE;
    const isWhole = Number.isInteger(sector) && Number.isInteger(sectors);
    const maySkip = replies !== 'simple' && isWhole && (request.flags & CMD_FLAG_DF) === 0;
    if (!maySkip || request.length < MIN_SPARSE_BYTES) {
      this.#readAll(request);
      return;
    }
    const asked: BlockStatusDone = (_, extents = []) => {
      const pieces = piecesOf(sector, sectors, extents);
      if (pieces.some(({ isHole }) => isHole)) this.#readSparse(request, pieces);
      else this.#readAll(request);
    };
    device.blockStatus(sector, sectors, asked, { fast: true });
  }

  #readSparse(request: NbdRequest, pieces: readonly ReadPiece[]): void {
    const { device, memory } = this.#parts;
    let bytes = 0;
    const take = (length: number): Buffer => {
      bytes += length;
      return this.#takeData(length);
    };
    readPieces(device, pieces, take, (result) => {
      if (result >= 0) {
        this.#replies.pieces(request, pieces, bytes);
        return;
      }
      for (const { data } of pieces) if (data) this.#giveData(data);
      this.#replies.result(request, result, bytes);
    });
    memory.give(request.length - bytes);
  }

  #readAll(request: NbdRequest): void {
    const { device } = this.#parts;
    const { length } = request;
    const data = this.#takeData(length);
    device.readBytes(request.offset, data, (result) => {
      if (result >= 0) {
        this.#replies.data(request, data);
      } else {
        this.#giveData(data);
        this.#replies.result(request, result, length);
      }
    });
  }

  #sent(bytes: number): void {
    this.#requestsInFlight--;
    this.#bytesInFlight -= bytes;
    const { maxRequestsInFlight, maxBytesInFlight } = this.#parts;
    if (
      this.#full &&
      this.#requestsInFlight <= maxRequestsInFlight / 2 &&
      this.#bytesInFlight <= maxBytesInFlight / 2
    ) {
      this.expectRequest();
      this.#parts.onExpecting();
    }
    this.#parts.onAnswered();
  }
}

function changeOptions({ flags }: NbdRequest): ChangeOptions {
  return { forceUnitAccess: (flags & CMD_FLAG_FUA) !== 0 };
}
