// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../posix/errno.js';
import { type BlockDevice, type ChangeOptions, type Done, ESHUTDOWN, SECTOR_SIZE } from '../disks/index.js';
import type { BufferPool } from '../posix/buffers.js';
import { allocationOf, sectorsAround } from './block-status.js';
import { cacheRange } from './cache-range.js';
import { nbdError } from './errors.js';
import {
  ALLOCATION_CONTEXT_ID,
  CMD_BLOCK_STATUS,
  CMD_CACHE,
  CMD_DISC,
  CMD_FLAG_DF,
  CMD_FLAG_FAST_ZERO,
  CMD_FLAG_FUA,
  CMD_FLAG_NO_HOLE,
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
import {
  encodeDataChunk,
  encodeErrorChunk,
  encodeHoleChunk,
  encodeSimpleReply,
  encodeStatusChunk,
} from './replies.js';
import { isValidRequest, type NbdRequest, parseRequest, REQUEST_BYTES } from './requests.js';
import { MIN_SPARSE_BYTES, type ReadPiece, piecesOf, readPieces } from './sparse-read.js';
import type { Sender } from './sender.js';

export interface TransmissionParts {
  readonly device: BlockDevice;
  readonly structuredReplies: boolean;
  /** BLOCK_STATUS is taken. */
  readonly allocation: boolean;
  readonly receiver: Receiver;
  readonly sender: Sender;
  readonly pool: BufferPool;
  /** This connection's share of the memory for data. */
  readonly memory: MemoryShare;
  /** No further request is read while so many are in flight, the sending of their replies included. */
  readonly maxRequestsInFlight: number;
  /** No further request is read while data of so many bytes is in flight; what is in flight exceeds it by one request at most. */
  readonly maxBytesInFlight: number;
  /** Runs a task in a later turn of the scheduler. */
  readonly post: (task: () => void) => void;
  /** Something was queued to the sender. */
  readonly onQueued: () => void;
  /** The receiver expects something again, after a time of not doing so. */
  readonly onExpecting: () => void;
  /** Nothing is in flight. */
  readonly onIdle: () => void;
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
  readonly #header = Buffer.alloc(REQUEST_BYTES);
  #requestsInFlight = 0;
  #bytesInFlight = 0;
  /** Too much is in flight: no request is read until half of it is gone. */
  #full = false;
  #ended = false;
  /** Replies with data that are not wholly sent. */
  #dataReplies = 0;
  /** Forgets the request whose data is coming, or that waits for memory. */
  #abandonReceiving: (() => void) | undefined;
  #isReceivingData = false;

  constructor(parts: TransmissionParts) {
    this.#parts = parts;
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
    return this.#dataReplies > 0;
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
    const request = parseRequest(this.#header);
    if (!request) {
      this.#parts.onEnd('a request without its magic');
    } else if (request.command === CMD_DISC) {
      this.#parts.onEnd('the client disconnects');
    } else {
      this.#requestsInFlight++;
      const error = this.#errorOf(request);
      if (request.command === CMD_WRITE) this.#receiveData(request, error);
      else {
        if (error < 0) this.#reply(request, error);
        else if (request.command === CMD_READ && request.length > 0) return this.#readWithMemory(request);
        else this.#start(request);
        this.expectRequest();
      }
    }
  }

  /** What speaks against a request before the disk is asked: a negative errno, or 0. */
  #errorOf(request: NbdRequest): number {
    const { device, structuredReplies, allocation } = this.#parts;
    const { command, flags, offset, length } = request;
    const changes = command === CMD_WRITE || command === CMD_WRITE_ZEROES || command === CMD_TRIM;
    if (!isValidRequest(request)) return -errno.EINVAL;
    if ((flags & CMD_FLAG_DF) !== 0 && !structuredReplies) return -errno.EINVAL;
    // What reads nothing is an error: its answer has no chunk that all clients understand.
    const needsLength = command === CMD_READ || command === CMD_BLOCK_STATUS;
    if (needsLength && length === 0) return -errno.EINVAL;
    if (command === CMD_BLOCK_STATUS && !allocation) return -errno.EINVAL;
    if (!device.isOpen) return -ESHUTDOWN;
    if (changes && device.readOnly) return -errno.EPERM;
    if ((command === CMD_READ || command === CMD_WRITE) && length > MAX_PAYLOAD_BYTES) return -errno.EINVAL;
    if (command === CMD_TRIM && !device.canDiscard) return -errno.EINVAL;
    if (offset + length <= device.sizeBytes) return 0;
    return command === CMD_WRITE || command === CMD_WRITE_ZEROES ? -errno.ENOSPC : -errno.EINVAL;
  }

  #receiveData(request: NbdRequest, error: number): void {
    const { receiver } = this.#parts;
    const { length } = request;
    if (error >= 0 && length > 0) {
      this.#withMemory(length, () => this.#receiveInto(request, this.#takeData(length)));
      return;
    }
    this.#isReceivingData = length > 0;
    this.#abandonReceiving = () => this.#requestsInFlight--;
    receiver.skip(length, () => {
      this.#received();
      this.#reply(request, error);
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
    let isLater = false;
    this.#abandonReceiving = () => {
      this.#requestsInFlight--;
      memory.leave();
    };
    memory.take(bytes, () => {
      this.#abandonReceiving = undefined;
      then();
      if (isLater) onExpecting();
    });
    isLater = true;
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
      this.#reply(request, result, data.length);
    };
    device.writeBytes(request.offset, data, written, changeOptions(request));
  }

  #start(request: NbdRequest): void {
    const { device, pool, post } = this.#parts;
    const { command, offset, length } = request;
    const done: Done = (result) => this.#reply(request, result);
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
      device.zeroBytes(offset, length, done, { ...changeOptions(request), noHole, fast });
    } else if (command === CMD_BLOCK_STATUS) {
      this.#blockStatus(request);
    } else if (command === CMD_CACHE) {
      cacheRange(device, pool, sectorsAround(offset, length), post, done);
    }
  }

  #blockStatus(request: NbdRequest): void {
    const { device, post, sender } = this.#parts;
    const { offset, length, flags, cookie } = request;
    const one = (flags & CMD_FLAG_REQ_ONE) !== 0;
    allocationOf({ device, offset, length, one, post }, (result, extents) => {
      if (result < 0) return this.#reply(request, result);
      const reply = encodeStatusChunk(cookie, ALLOCATION_CONTEXT_ID, extents);
      sender.queue(reply, () => this.#sent(0));
      return this.#parts.onQueued();
    });
  }

  #read(request: NbdRequest): void {
    const { device, structuredReplies } = this.#parts;
    const sector = request.offset / SECTOR_SIZE;
    const sectors = request.length / SECTOR_SIZE;
    const isWhole = Number.isInteger(sector) && Number.isInteger(sectors);
    const maySkip = structuredReplies && isWhole && (request.flags & CMD_FLAG_DF) === 0;
    if (!maySkip || request.length < MIN_SPARSE_BYTES) {
      this.#readAll(request);
      return;
    }
    device.blockStatus(sector, sectors, (_, extents = []) => {
      const pieces = piecesOf(sector, sectors, extents);
      if (pieces.some(({ isHole }) => isHole)) this.#readSparse(request, pieces);
      else this.#readAll(request);
    });
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
        this.#replyPieces(request, pieces, bytes);
        return;
      }
      for (const { data } of pieces) if (data) this.#giveData(data);
      this.#reply(request, result, bytes);
    });
    memory.give(request.length - bytes);
  }

  /** Replies to a READ with holes. `bytes`: those of its data. */
  #replyPieces({ cookie }: NbdRequest, pieces: readonly ReadPiece[], bytes: number): void {
    const { sender } = this.#parts;
    pieces.forEach(({ sector, sectors, data }, index) => {
      const isLast = index === pieces.length - 1;
      const sent = isLast ? (): void => this.#sent(bytes) : undefined;
      const [offset, length] = [sector * SECTOR_SIZE, sectors * SECTOR_SIZE];
      if (data) {
        sender.queue(encodeDataChunk(cookie, offset, length, isLast));
        this.#queueData(data, sent);
      } else {
        sender.queue(encodeHoleChunk(cookie, offset, length, isLast), sent);
      }
    });
    this.#parts.onQueued();
  }

  #readAll(request: NbdRequest): void {
    const { device } = this.#parts;
    const { length } = request;
    const data = this.#takeData(length);
    device.readBytes(request.offset, data, (result) => {
      if (result >= 0) {
        this.#replyData(request, data);
      } else {
        this.#giveData(data);
        this.#reply(request, result, length);
      }
    });
  }

  /** Replies to a READ that succeeded; its buffer goes back to the pool once it is sent. */
  #replyData(request: NbdRequest, data: Buffer): void {
    const { sender, structuredReplies } = this.#parts;
    const { cookie, offset, length } = request;
    sender.queue(structuredReplies ? encodeDataChunk(cookie, offset, length) : encodeSimpleReply(cookie, 0));
    this.#queueData(data, () => this.#sent(length));
    this.#parts.onQueued();
  }

  /** Queues data of a READ; the buffer is given back once it is sent, before `sent` is called, or when it is dropped. */
  #queueData(data: Buffer, sent: (() => void) | undefined): void {
    this.#dataReplies++;
    const dropped = (): void => {
      this.#dataReplies--;
      this.#giveData(data);
    };
    const gone = (): void => {
      dropped();
      sent?.();
    };
    this.#parts.sender.queue(data, gone, dropped);
  }

  /** Replies to anything else. `bytes`: what its data added to those in flight. */
  #reply(request: NbdRequest, result: number, bytes = 0): void {
    const error = nbdError(result);
    const { sender, structuredReplies } = this.#parts;
    const reply =
      (request.command === CMD_READ || request.command === CMD_BLOCK_STATUS) && structuredReplies
        ? encodeErrorChunk(request.cookie, error, errnoCode(result))
        : encodeSimpleReply(request.cookie, error);
    sender.queue(reply, () => this.#sent(bytes));
    this.#parts.onQueued();
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
    if (this.#requestsInFlight === 0) this.#parts.onIdle();
  }
}

function changeOptions({ flags }: NbdRequest): ChangeOptions {
  return { forceUnitAccess: (flags & CMD_FLAG_FUA) !== 0 };
}
