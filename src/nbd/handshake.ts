// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Negotiated, type NbdExport, type NbdExports, transmissionFlags } from './exports.js';
import {
  OPTION_HEADER_BYTES,
  encodeBlockSizeInfo,
  encodeExportInfo,
  encodeOptionReply,
  encodeServerName,
  encodeTextInfo,
  parseExportRequest,
  parseName,
  parseOptionHeader,
} from './options.js';
import {
  FLAG_FIXED_NEWSTYLE,
  FLAG_NO_ZEROES,
  INFO_DESCRIPTION,
  INFO_NAME,
  NBD_MAGIC,
  OPTION_MAGIC,
  OPT_ABORT,
  OPT_EXPORT_NAME,
  OPT_EXTENDED_HEADERS,
  OPT_GO,
  OPT_INFO,
  OPT_LIST,
  OPT_LIST_META_CONTEXT,
  OPT_SET_META_CONTEXT,
  OPT_STARTTLS,
  OPT_STRUCTURED_REPLY,
  REP_ACK,
  REP_ERR_EXT_HEADER_REQD,
  REP_ERR_INVALID,
  REP_ERR_POLICY,
  REP_ERR_TLS_REQD,
  REP_ERR_TOO_BIG,
  REP_ERR_UNKNOWN,
  REP_ERR_UNSUP,
  REP_INFO,
  REP_META_CONTEXT,
  REP_SERVER,
} from './protocol.js';
import {
  choosesAllocation,
  encodeAllocationContext,
  listsAllocation,
  parseContextRequest,
} from './meta-context.js';
import type { Receiver } from './receiver.js';
import type { ReplyStyle } from './replies.js';
import type { Sender } from './sender.js';

/** The longest option data that is looked at; longer data is skipped, and the reply is REP_ERR_TOO_BIG. */
export const MAX_OPTION_BYTES = 64 << 10;
/** How many options a client may send on one connection. */
export const MAX_OPTIONS = 1024;
/** While this many bytes of replies wait for the client to take them, its next option is not read. */
const MAX_UNSENT_BYTES = 64 << 10;
/** Zeroes after the reply to EXPORT_NAME, for clients that did not negotiate NO_ZEROES. */
const EXPORT_NAME_ZEROES = 124;

/** Where a connection stands with TLS: it is not offered, it has to be started, it is in force. */
export type TlsState = 'none' | 'required' | 'secured';

/** How a handshake ended: with a disk, with TLS to be started (and a new handshake then), or not at all. */
export type HandshakeEnd =
  | {
      readonly kind: 'transmission';
      readonly export: NbdExport;
      readonly negotiated: Negotiated;
    }
  | { readonly kind: 'tls'; readonly noZeroes: boolean }
  | { readonly kind: 'closed'; readonly reason: string };

export interface HandshakeParts {
  readonly receiver: Receiver;
  readonly sender: Sender;
  readonly exports: NbdExports;
  readonly tls: TlsState;
  /** Whether the client has opted out of the zeroes after the reply to EXPORT_NAME, which it cannot do again under TLS. */
  readonly noZeroes: boolean;
  /** Whether the client may have a disk now; if not, the reason, for people. */
  readonly admit: () => string | undefined;
  /** The receiver expects something again, after a time of not doing so. */
  readonly onExpecting: () => void;
  /** Called once. What was queued to the sender before has still to be sent. */
  readonly onEnd: (end: HandshakeEnd) => void;
}

/**
 * The server's side of fixed newstyle negotiation.
 *
 *     greet ─▶ client flags ─▶ option ─▶ data ─▶ (answer) ─┬─▶ option …
 *                                                          ├─▶ transmission (EXPORT_NAME, GO)
 *                                                          ├─▶ tls (STARTTLS)
 *                                                          └─▶ closed (ABORT, or what cannot be answered)
 */
export class ServerHandshake {
  readonly #parts: HandshakeParts;
  readonly #header = Buffer.alloc(OPTION_HEADER_BYTES);
  #noZeroes: boolean;
  #replies: ReplyStyle = 'simple';
  /** The export for which the client has chosen base:allocation. */
  #allocationOf: string | undefined;
  #options = 0;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
    this.#noZeroes = parts.noZeroes;
  }

  /** Starts at the greeting. */
  greet(): void {
    const { receiver, sender } = this.#parts;
    const greeting = Buffer.alloc(18);
    greeting.writeBigUInt64BE(NBD_MAGIC, 0);
    greeting.writeBigUInt64BE(OPTION_MAGIC, 8);
    greeting.writeUInt16BE(FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES, 16);
    sender.queue(greeting);
    const flags = Buffer.alloc(4);
    receiver.expect(flags, () => this.#clientFlags(flags.readUInt32BE(0)));
  }

  /** Starts at the options, as after TLS has been started. */
  expectOption(): void {
    const { receiver, sender, onExpecting } = this.#parts;
    const expect = (): void => receiver.expect(this.#header, () => this.#optionHeader());
    if (sender.pendingBytes <= MAX_UNSENT_BYTES) {
      expect();
    } else {
      sender.queue(Buffer.alloc(0), () => {
        expect();
        onExpecting();
      });
    }
  }

  #clientFlags(flags: number): void {
    const unknown = flags & ~(FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES);
    if (unknown !== 0) {
      this.#close(`unknown client flags 0x${(unknown >>> 0).toString(16)}`);
      return;
    }
    this.#noZeroes = (flags & FLAG_NO_ZEROES) !== 0;
    this.expectOption();
  }

  #optionHeader(): void {
    const header = parseOptionHeader(this.#header);
    if (!header) return this.#close('an option without its magic');
    if (++this.#options > MAX_OPTIONS) return this.#close(`more than ${MAX_OPTIONS} options`);
    const { option, length } = header;
    const { receiver } = this.#parts;
    if (length > MAX_OPTION_BYTES) {
      if (option === OPT_EXPORT_NAME) return this.#close('a name that is too long');
      return receiver.skip(length, () =>
        this.#reply(option, REP_ERR_TOO_BIG, `at most ${MAX_OPTION_BYTES} bytes`),
      );
    }
    const data = Buffer.alloc(length);
    return receiver.expect(data, () => this.#option(option, data));
  }

  #option(option: number, data: Buffer): void {
    const beforeTls = option === OPT_STARTTLS || option === OPT_ABORT;
    if (this.#parts.tls === 'required' && !beforeTls) {
      // EXPORT_NAME has no way to be refused but this one.
      if (option === OPT_EXPORT_NAME) return this.#close('EXPORT_NAME before TLS');
      return this.#reply(option, REP_ERR_TLS_REQD, 'TLS has to be started first');
    }
    switch (option) {
      case OPT_EXPORT_NAME:
        return this.#exportName(data);
      case OPT_ABORT:
        this.#queue(option, REP_ACK);
        return this.#close('the client has aborted');
      case OPT_LIST:
        return this.#list(data);
      case OPT_STARTTLS:
        return this.#startTls(data);
      case OPT_INFO:
      case OPT_GO:
        return this.#info(option, data);
      case OPT_STRUCTURED_REPLY:
        if (data.length > 0) return this.#reply(option, REP_ERR_INVALID, 'STRUCTURED_REPLY has no data');
        if (this.#replies === 'extended')
          return this.#reply(
            option,
            REP_ERR_EXT_HEADER_REQD,
            'EXTENDED_HEADERS includes structured replies already',
          );
        this.#replies = 'structured';
        return this.#reply(option, REP_ACK);
      case OPT_EXTENDED_HEADERS:
        if (data.length > 0) return this.#reply(option, REP_ERR_INVALID, 'EXTENDED_HEADERS has no data');
        this.#replies = 'extended';
        return this.#reply(option, REP_ACK);
      case OPT_LIST_META_CONTEXT:
      case OPT_SET_META_CONTEXT:
        return this.#contexts(option, data);
      default:
        return this.#reply(option, REP_ERR_UNSUP, `option ${option} is not known`);
    }
  }

  #exportName(data: Buffer): void {
    const name = parseName(data);
    if (typeof name === 'string') return this.#close(name);
    const found = this.#parts.exports.find(name.name);
    if (typeof found === 'string') return this.#close(`no export '${name.name}': ${found}`);
    const refusal = this.#parts.admit();
    if (refusal !== undefined) return this.#close(refusal);
    const answer = Buffer.alloc(10 + (this.#noZeroes ? 0 : EXPORT_NAME_ZEROES));
    answer.writeBigUInt64BE(BigInt(found.device.sizeBytes), 0);
    answer.writeUInt16BE(transmissionFlags(found.device, this.#negotiated(found)), 8);
    this.#parts.sender.queue(answer);
    return this.#transmission(found);
  }

  #list(data: Buffer): void {
    if (data.length > 0) return this.#reply(OPT_LIST, REP_ERR_INVALID, 'LIST has no data');
    for (const { name, description } of this.#parts.exports.list()) {
      this.#queue(OPT_LIST, REP_SERVER, encodeServerName(name, description));
    }
    return this.#reply(OPT_LIST, REP_ACK);
  }

  #startTls(data: Buffer): void {
    if (data.length > 0) return this.#reply(OPT_STARTTLS, REP_ERR_INVALID, 'STARTTLS has no data');
    if (this.#parts.tls === 'none') return this.#reply(OPT_STARTTLS, REP_ERR_UNSUP, 'there is no TLS here');
    if (this.#parts.tls === 'secured') return this.#reply(OPT_STARTTLS, REP_ERR_INVALID, 'TLS is in force');
    // What comes in the clear after STARTTLS would be taken for something said under TLS.
    if (this.#parts.receiver.bytesAhead > 0) return this.#close('more than STARTTLS before TLS');
    this.#queue(OPT_STARTTLS, REP_ACK);
    return this.#parts.onEnd({ kind: 'tls', noZeroes: this.#noZeroes });
  }

  #info(option: number, data: Buffer): void {
    const request = parseExportRequest(data);
    if (typeof request === 'string') return this.#reply(option, REP_ERR_INVALID, request);
    const found = this.#parts.exports.find(request.name);
    if (typeof found === 'string') return this.#reply(option, REP_ERR_UNKNOWN, found);
    const refusal = option === OPT_GO ? this.#parts.admit() : undefined;
    if (refusal !== undefined) return this.#reply(option, REP_ERR_POLICY, refusal);
    const flags = transmissionFlags(found.device, this.#negotiated(found));
    this.#queue(option, REP_INFO, encodeExportInfo(found.device.sizeBytes, flags));
    this.#queue(option, REP_INFO, encodeBlockSizeInfo(found.device.sizeBytes));
    if (request.infos.includes(INFO_NAME))
      this.#queue(option, REP_INFO, encodeTextInfo(INFO_NAME, found.name));
    if (request.infos.includes(INFO_DESCRIPTION)) {
      this.#queue(option, REP_INFO, encodeTextInfo(INFO_DESCRIPTION, found.description));
    }
    if (option === OPT_INFO) return this.#reply(option, REP_ACK);
    this.#queue(option, REP_ACK);
    return this.#transmission(found);
  }

  #contexts(option: number, data: Buffer): void {
    const isSet = option === OPT_SET_META_CONTEXT;
    // Whatever the outcome, what was chosen before no longer applies.
    if (isSet) this.#allocationOf = undefined;
    if (this.#replies === 'simple') {
      const expected = 'STRUCTURED_REPLY or EXTENDED_HEADERS has to come first';
      return this.#reply(option, REP_ERR_INVALID, expected);
    }
    const request = parseContextRequest(data);
    if (typeof request === 'string') return this.#reply(option, REP_ERR_INVALID, request);
    const found = this.#parts.exports.find(request.name);
    if (typeof found === 'string') return this.#reply(option, REP_ERR_UNKNOWN, found);
    if (isSet && choosesAllocation(request.queries)) {
      this.#allocationOf = found.name;
      this.#queue(option, REP_META_CONTEXT, encodeAllocationContext());
    } else if (!isSet && listsAllocation(request.queries)) {
      this.#queue(option, REP_META_CONTEXT, encodeAllocationContext(0));
    }
    return this.#reply(option, REP_ACK);
  }

  #transmission(found: NbdExport): void {
    this.#parts.onEnd({ kind: 'transmission', export: found, negotiated: this.#negotiated(found) });
  }

  #negotiated({ name }: NbdExport): Negotiated {
    return { replies: this.#replies, allocation: this.#allocationOf === name };
  }

  /** Replies, and expects the next option. */
  #reply(option: number, type: number, data?: Uint8Array | string): void {
    this.#queue(option, type, data);
    this.expectOption();
  }

  #queue(option: number, type: number, data?: Uint8Array | string): void {
    this.#parts.sender.queue(encodeOptionReply(option, type, data));
  }

  #close(reason: string): void {
    this.#parts.onEnd({ kind: 'closed', reason });
  }
}
