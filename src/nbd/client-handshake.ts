// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { OPTION_REPLY_HEADER_BYTES, encodeExportRequest, encodeOption } from './options.js';
import {
  FLAG_FIXED_NEWSTYLE,
  FLAG_NO_ZEROES,
  INFO_BLOCK_SIZE,
  INFO_EXPORT,
  MAX_PAYLOAD_BYTES,
  MIN_BLOCK_BYTES,
  NBD_MAGIC,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  OPT_EXPORT_NAME,
  OPT_GO,
  OPT_STRUCTURED_REPLY,
  REP_ACK,
  REP_ERR_UNSUP,
  REP_INFO,
} from './protocol.js';
import { NbdError } from './nbd-error.js';
import type { Receiver } from './receiver.js';
import type { Sender } from './sender.js';

/** The longest reply to an option that is taken. */
const MAX_REPLY_BYTES = 64 << 10;

/** What a client knows of the disk it uses. */
export interface ExportFacts {
  /** In bytes. */
  readonly size: number;
  /** Transmission flags. */
  readonly flags: number;
  readonly structuredReplies: boolean;
  /** Bytes that offsets and lengths are multiples of; 1 if the server did not say. */
  readonly minBlockBytes: number;
  /** The longest read or write. */
  readonly maxBlockBytes: number;
}

export interface ClientHandshakeParts {
  readonly receiver: Receiver;
  readonly sender: Sender;
  /** The empty name asks for the server's default. */
  readonly exportName: string;
  readonly onDone: (facts: ExportFacts) => void;
  readonly onError: (error: NbdError) => void;
}

/**
 * The client's side of fixed newstyle negotiation:
 *
 *     greeting ─▶ STRUCTURED_REPLY ─▶ GO ─▶ done
 *                                     └─ not known there ─▶ EXPORT_NAME ─▶ done
 */
export class ClientHandshake {
  readonly #parts: ClientHandshakeParts;
  #structuredReplies!: boolean;
  #noZeroes!: boolean;
  /** NaN until the server has said it. */
  #size = Number.NaN;
  #flags = 0;
  #minBlockBytes = 1;
  #maxBlockBytes = MAX_PAYLOAD_BYTES;

  constructor(parts: ClientHandshakeParts) {
    this.#parts = parts;
  }

  start(): void {
    const greeting = Buffer.alloc(18);
    this.#parts.receiver.expect(greeting, () => this.#greeted(greeting));
  }

  #greeted(greeting: Buffer): void {
    if (greeting.readBigUInt64BE(0) !== NBD_MAGIC || greeting.readBigUInt64BE(8) !== OPTION_MAGIC) {
      return this.#fail('the server does not support newstyle NBD');
    }
    const serverFlags = greeting.readUInt16BE(16);
    if ((serverFlags & FLAG_FIXED_NEWSTYLE) === 0)
      return this.#fail('the server does not support fixed newstyle');
    this.#noZeroes = (serverFlags & FLAG_NO_ZEROES) !== 0;
    const flags = Buffer.alloc(4);
    flags.writeUInt32BE(FLAG_FIXED_NEWSTYLE | (this.#noZeroes ? FLAG_NO_ZEROES : 0));
    this.#parts.sender.queue(flags);
    return this.#ask(OPT_STRUCTURED_REPLY, Buffer.alloc(0), (type) => {
      this.#structuredReplies = type === REP_ACK;
      this.#go();
    });
  }

  #go(): void {
    const data = encodeExportRequest({ name: this.#parts.exportName, infos: [INFO_BLOCK_SIZE] });
    this.#ask(OPT_GO, data, (type, reply) => {
      if (type === REP_ACK) return this.#done();
      if (type === REP_ERR_UNSUP) return this.#exportName();
      if (type !== REP_INFO)
        return this.#fail(`the server refuses the export: ${reply.toString('utf8')}`, 'ENOENT');
      this.#information(reply);
      return this.#expectReply(OPT_GO);
    });
  }

  #information(reply: Buffer): void {
    const kind = reply.length >= 2 ? reply.readUInt16BE(0) : -1;
    if (kind === INFO_EXPORT && reply.length === 12) {
      this.#size = Number(reply.readBigUInt64BE(2));
      this.#flags = reply.readUInt16BE(10);
    } else if (kind === INFO_BLOCK_SIZE && reply.length === 14) {
      this.#minBlockBytes = reply.readUInt32BE(2);
      this.#maxBlockBytes = Math.min(reply.readUInt32BE(10), MAX_PAYLOAD_BYTES);
    }
  }

  #exportName(): void {
    const { receiver, sender, exportName } = this.#parts;
    sender.queue(encodeOption(OPT_EXPORT_NAME, Buffer.from(exportName)));
    sender.flush();
    const answer = Buffer.alloc(10 + (this.#noZeroes ? 0 : 124));
    receiver.expect(answer, () => {
      this.#size = Number(answer.readBigUInt64BE(0));
      this.#flags = answer.readUInt16BE(8);
      this.#minBlockBytes = MIN_BLOCK_BYTES;
      this.#done();
    });
  }

  #onReply: (type: number, data: Buffer) => void = () => {};

  #ask(option: number, data: Buffer, onReply: (type: number, data: Buffer) => void): void {
    this.#onReply = onReply;
    this.#parts.sender.queue(encodeOption(option, data));
    this.#parts.sender.flush();
    this.#expectReply(option);
  }

  #expectReply(option: number): void {
    const { receiver } = this.#parts;
    const header = Buffer.alloc(OPTION_REPLY_HEADER_BYTES);
    receiver.expect(header, () => {
      const length = header.readUInt32BE(16);
      if (header.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC || header.readUInt32BE(8) !== option) {
        return this.#fail(`expected a reply to option ${option}`);
      }
      if (length > MAX_REPLY_BYTES) return this.#fail(`the server's reply has ${length} bytes`);
      const data = Buffer.alloc(length);
      return receiver.expect(data, () => this.#onReply(header.readUInt32BE(12), data));
    });
  }

  #done(): void {
    if (this.#minBlockBytes < 1 || !Number.isSafeInteger(this.#size))
      return this.#fail('the disk has an invalid size or block size');
    return this.#parts.onDone({
      size: this.#size,
      flags: this.#flags,
      structuredReplies: this.#structuredReplies,
      minBlockBytes: this.#minBlockBytes,
      maxBlockBytes: this.#maxBlockBytes,
    });
  }

  #fail(message: string, code = 'EPROTO'): void {
    this.#parts.onError(new NbdError(message, code));
  }
}
