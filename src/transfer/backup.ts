// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress, type SocketAddress } from '../posix/address.js';
import { errno, errnoCode, inWords } from '../posix/errno.js';
import type { NodePosix } from '../posix/index.js';
import {
  tdReplicationConnectKill,
  tdReplicationServerRestart,
  tdReplicationServerStart,
} from '../replication/index.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { type AddressRange, isInRanges } from '../server/address-range.js';
import { LOG_ERR, type Logger } from '../server/logger.js';
import { Completions } from '../disks/index.js';
import { SILENCE_SECONDS, SilenceWatch } from '../server/silence.js';
import { Connection } from './connection.js';
import { Meter } from './meter.js';
import type { Output } from './output.js';
import { Receiving, type ReceivingFailure, type ReceivingOutcome } from './receiving.js';
import { resetConnection } from './reset-connection.js';
import { TransferError } from './transfer-error.js';
import type { TransferObserver, TransferOutcome } from './transfer-event.js';
import type { TransferStatus } from './transfer-status.js';
import { verdictLine } from './wire.js';

/** What tdReplicationServerStart returns when the host does not have the address. */
const SHOULD_BE_CLIENT = -2;

export interface BackupOptions {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  readonly logger: Logger;
  readonly observer: TransferObserver;
  /** HOST:PORT to listen on; port 0 takes a free one. */
  readonly name: string;
  readonly output: Output;
  /** End after the first complete transfer. */
  readonly once: boolean;
  /** See Receiving. */
  readonly acceptsRaw: boolean;
  /** See Receiving. */
  readonly idleSeconds: number;
  /** See Receiving. */
  readonly maxBytes?: number | undefined;
  /** See Receiving. */
  readonly minRate?: number | undefined;
  /** Whose connections are taken; everybody's unless given. */
  readonly allow?: readonly AddressRange[] | undefined;
  /** A primary whose host does not respond for this long is given up (see SilenceWatch); {@link SILENCE_SECONDS} unless given. */
  readonly silenceSeconds?: number;
}

/**
 * The backup: takes one image after another. A failure to write an image is reported, and the next one is awaited: unless
 * standard output has a part of it, or one image was asked for and it is not for lack of room.
 *
 *     looking up --> listening --established--> conversation (see Receiving) --once, output at an end--> ended
 *                       ^                             |
 *                       +----complete, broken---------+
 *
 * While it has a primary, the connect module closes further connections at once.
 */
export class Backup {
  readonly #options: BackupOptions;
  readonly #connection: Connection;
  readonly #completions: Completions;
  readonly #started: number;
  #meter: Meter;
  #conversation: Receiving | undefined;
  #silence: SilenceWatch | undefined;
  #phase: 'looking up' | 'listening' | 'stopping' | 'ended' = 'looking up';
  #accepted = 0;
  #transfers = 0;
  #end!: (outcome: TransferOutcome) => void;
  /** How it ended; never rejects. */
  readonly ended = new Promise<TransferOutcome>((resolve) => {
    this.#end = resolve;
  });

  /** @throws Error with an errno's name as `code` when the descriptor table or the scheduler is full */
  constructor(options: BackupOptions) {
    this.#options = options;
    const { registrar, posix, logger, name, allow = [] } = options;
    this.#started = posix.clock.now();
    this.#meter = new Meter(posix.clock);
    this.#completions = new Completions(registrar, posix, logger);
    this.#connection = new Connection({
      registrar,
      posix,
      logger,
      name,
      // A listener's callback has no failures.
      callback: () => this.#established(),
      ...(allow.length > 0 && { admits: (peer: SocketAddress) => this.#admits(peer) }),
      onFurther: (fd) => this.#turnAway(fd),
      onFailedCall: (call, error) => {
        if (call === 'accept' && error !== errno.EAGAIN)
          logger.log(LOG_ERR, `cannot accept a connection: ${inWords(error)}`);
      },
    });
  }

  /** Starts; `ended` resolves to the outcome. */
  async start(): Promise<void> {
    try {
      await this.#connection.lookUp();
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      return this.#fail(error);
    }
    if (this.#phase !== 'looking up') return undefined;
    const started = tdReplicationServerStart(this.#connection.struct);
    if (started === SHOULD_BE_CLIENT) return this.#notOurs();
    if (started < 0)
      return this.#fail(this.#connection.error(`cannot listen on ${this.#connection.address}`));
    return this.#listen();
  }

  /** Breaks off: the primary sees a reset, and what it has sent is dropped. Idempotent. */
  async stop(signal: string): Promise<void> {
    if (this.#phase === 'ended' || this.#phase === 'stopping') return;
    this.#phase = 'stopping';
    this.#options.observer.onEvent({ event: 'stopped', signal });
    await this.#conversation?.stop();
    this.#phase = 'ended';
    this.#finish({ kind: 'stopped', signal });
  }

  status(): TransferStatus {
    const { posix, output } = this.#options;
    return {
      role: 'backup',
      pid: process.pid,
      ...this.#connection.status(),
      // Between two primaries the connection may be open still.
      ...(this.#conversation === undefined && { peer: null }),
      attempts: this.#accepted,
      phase: this.#phase === 'listening' ? (this.#conversation?.phase ?? 'listening') : this.#phase,
      transfers: this.#transfers,
      bytes: this.#meter.bytes,
      totalBytes: null,
      rate: this.#meter.rate,
      quietSeconds: this.#conversation?.phase === 'receiving' ? this.#meter.quietSeconds : 0,
      seconds: this.#accepted === 0 ? 0 : this.#meter.seconds,
      uptimeSeconds: posix.clock.now() - this.#started,
      file: output.name,
    };
  }

  #listen(): void {
    this.#phase = 'listening';
    this.#options.observer.onEvent({ event: 'listening', address: this.#connection.address });
  }

  #established(): void {
    const { posix, registrar, observer, output, acceptsRaw, idleSeconds, maxBytes, minRate } = this.#options;
    const { silenceSeconds = SILENCE_SECONDS } = this.#options;
    const { fd } = this.#connection.struct;
    this.#accepted += 1;
    const peer = this.#connection.peer ?? 'unknown';
    this.#meter = new Meter(posix.clock, () => observer.onProgress());
    this.#conversation = new Receiving({
      registrar,
      posix,
      completions: this.#completions,
      fd,
      output,
      meter: this.#meter,
      acceptsRaw,
      idleSeconds,
      maxBytes,
      minRate,
      onEnd: (outcome) => this.#onConversationEnd(outcome, peer),
    });
    this.#silence = new SilenceWatch({
      registrar,
      posix,
      fd,
      seconds: silenceSeconds,
      onSilent: () => this.#conversation?.onSilence(silenceSeconds),
    });
    observer.onEvent({ event: 'established', peer });
    this.#conversation?.start();
  }

  #admits(peer: SocketAddress): boolean {
    const { allow = [], observer } = this.#options;
    if (isInRanges(peer, allow)) return true;
    observer.onEvent({ event: 'refused', peer: formatAddress(peer) });
    return false;
  }

  /** Says why a further connection is closed; another program than a primary may make of it what it likes. */
  #turnAway(fd: number): void {
    const { posix, silenceSeconds = SILENCE_SECONDS } = this.#options;
    const seconds = Math.floor(this.#meter.seconds);
    const end = silenceSeconds > 0 ? `, or until its host has not responded for ${silenceSeconds} s` : '';
    const message = `busy with ${this.#connection.peer} for ${seconds} s: wait until that primary has ended${end}`;
    posix.write(fd, verdictLine({ kind: 'error', code: 'EBUSY', message }));
  }

  #onConversationEnd(outcome: ReceivingOutcome, peer: string): void {
    const { observer, output, once } = this.#options;
    this.#conversation = undefined;
    this.#silence?.[Symbol.dispose]();
    this.#meter.stop();
    const { bytes, seconds, rate } = this.#meter;
    switch (outcome.kind) {
      case 'complete': {
        const { sha256, checked: confirmed } = outcome;
        this.#transfers += 1;
        if (once) this.#phase = 'ended';
        observer.onEvent({ event: 'complete', confirmed, bytes, sha256, seconds, rate, file: output.name });
        return once ? this.#finish({ kind: 'complete' }) : this.#next();
      }
      case 'nothing':
        observer.onEvent({ event: 'nothing', peer });
        return this.#next();
      case 'failed':
      case 'broken':
        return this.#onFault(outcome);
    }
  }

  /** What one primary has run into must not be the end for the next one. */
  #onFault({ kind, code, message, isOfSize }: ReceivingFailure): void {
    const { observer, output, once } = this.#options;
    const { bytes } = this.#meter;
    if (kind === 'failed' && (output.appends || (once && !isOfSize)))
      return this.#fail(new TransferError(code, message));
    if (bytes > 0 && output.appends)
      return this.#fail(new TransferError(code, `${message}; ${output.name} holds a part of an image`));
    observer.onEvent({ event: 'broken', code, message, bytes });
    return this.#next();
  }

  /** Drops the connection, and takes the next one. */
  #next(): void {
    tdReplicationServerRestart(this.#connection.struct);
    this.#listen();
  }

  #notOurs(): void {
    this.#phase = 'ended';
    const { name, observer } = this.#options;
    const message =
      `this host does not have the address ${this.#connection.address}, and a backup listens on one of its own; ` +
      `to send to the host that has it: tapdisk-ts primary ${name}`;
    observer.onEvent({ event: 'failed', code: errnoCode(errno.EADDRNOTAVAIL), message, bytes: 0 });
    this.#finish({ kind: 'not-ours' });
  }

  #fail({ code, message }: TransferError): void {
    this.#phase = 'ended';
    this.#options.observer.onEvent({ event: 'failed', code, message, bytes: this.#meter.bytes });
    this.#finish({ kind: 'failed' });
  }

  #finish(outcome: TransferOutcome): void {
    const { posix } = this.#options;
    this.#silence?.[Symbol.dispose]();
    const { struct } = this.#connection;
    // A connection that ended well is closed as usual.
    if (outcome.kind === 'stopped') resetConnection(posix, struct.fd);
    tdReplicationConnectKill(struct);
    this.#completions[Symbol.dispose]();
    this.#end(outcome);
  }
}
