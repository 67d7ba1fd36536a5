// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress } from '../posix/address.js';
import { errno, errnoCode, inWords } from '../posix/errno.js';
import type { NodePosix } from '../posix/index.js';
import { ATTEMPT_SECONDS } from '../replication/attempt-seconds.js';
import { tdReplicationClientStart, tdReplicationConnectKill } from '../replication/index.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { type AddressRange, isInRanges } from '../server/address-range.js';
import type { Logger } from '../server/logger.js';
import { SILENCE_SECONDS, SilenceWatch } from '../server/silence.js';
import { Connection, RETRY_SECONDS } from './connection.js';
import type { Input } from './input.js';
import { Meter } from './meter.js';
import { resetConnection } from './reset-connection.js';
import { Sending, type SendingOutcome } from './sending.js';
import { TransferError } from './transfer-error.js';
import type { TransferObserver, TransferOutcome } from './transfer-event.js';
import type { TransferStatus } from './transfer-status.js';
import { GREETING_TIMEOUT_SECONDS } from './wire.js';

export interface PrimaryOptions {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  readonly logger: Logger;
  readonly observer: TransferObserver;
  /** The backup's HOST:PORT. */
  readonly name: string;
  readonly input: Input;
  /** See Sending. */
  readonly raw: boolean;
  /** See Sending. */
  readonly idleSeconds: number;
  /** Which of its addresses are tried; all unless given. */
  readonly allow?: readonly AddressRange[] | undefined;
  /**
   * How long an address may leave an attempt without an answer when the name has more, in whole seconds; {@link ATTEMPT_SECONDS}
   * unless given. A name's only address has the kernel's own time, two minutes.
   */
  readonly attemptSeconds?: number;
  /** A backup whose host does not respond for this long is given up (see SilenceWatch); {@link SILENCE_SECONDS} unless given. */
  readonly silenceSeconds?: number;
}

const ENDED_AT_ONCE =
  'the other side ended the connection before anything was sent: it is a backup that is going away, or another program, which gets the image with --raw';

const LATE = `the backup did not greet within ${GREETING_TIMEOUT_SECONDS} s, and then refused the image without a header: it was stopped, or its host is busy`;

/** The connect module gives up on these, but a backup's host that is down or being reached again causes them too. */
const passing = new Set<number>([errno.EHOSTUNREACH, errno.ENETDOWN, errno.ECONNRESET]);

/**
 * The primary: connects to a backup for as long as it takes, sends one image, and ends.
 *
 *     looking up --> connecting --established--> conversation (see Sending) --> ended
 *                      ^    \                       |
 *                      |     +--gave up--+          rejected
 *                      +------1 s--------+----------+
 *
 * A connection that breaks once the image is on its way ends it: a stream cannot be read twice. Run again, it starts over. Only
 * a file that was sent to a backup which greeted too late is sent again.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #connection: Connection;
  #input: Input;
  readonly #started: number;
  #meter: Meter;
  #conversation: Sending | undefined;
  #silence: SilenceWatch | undefined;
  #phase: 'looking up' | 'connecting' | 'waiting to try again' | 'ended' = 'looking up';
  readonly #retry: AwaitedEvent;
  /** The end of an attempt that has no answer. */
  readonly #attemptLimit: AwaitedEvent;
  #transfers = 0;
  #end!: (outcome: TransferOutcome) => void;
  /** How it ended; never rejects. */
  readonly ended = new Promise<TransferOutcome>((resolve) => {
    this.#end = resolve;
  });

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#input = options.input;
    const { registrar, posix, logger, name } = options;
    this.#retry = new AwaitedEvent(registrar);
    this.#attemptLimit = new AwaitedEvent(registrar);
    this.#started = posix.clock.now();
    this.#meter = new Meter(posix.clock);
    this.#connection = new Connection({
      registrar,
      posix,
      logger,
      name,
      onConnect: () => this.#onConnect(),
      callback: (_, rc) => (rc === 0 ? this.#established() : this.#gaveUp()),
      onFailedCall: (_, error) => this.#onFailedCall(error),
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
    if (this.#phase === 'ended') return undefined;
    const refusal = this.#restrictAddresses();
    if (refusal !== undefined) return this.#fail(refusal);
    this.#phase = 'connecting';
    this.#options.observer.onEvent({ event: 'connecting', address: this.#connection.address });
    return this.#connect();
  }

  /** Breaks off: the backup sees a reset, and no end of an image. Idempotent. */
  stop(signal: string): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#options.observer.onEvent({ event: 'stopped', signal });
    this.#finish({ kind: 'stopped', signal });
  }

  status(): TransferStatus {
    const { posix } = this.#options;
    const input = this.#input;
    return {
      role: 'primary',
      pid: process.pid,
      ...this.#connection.status(),
      // When the conversation is over the connection may be open still.
      ...(this.#conversation === undefined && { peer: null }),
      phase: this.#phase === 'ended' ? 'ended' : (this.#conversation?.phase ?? this.#phase),
      transfers: this.#transfers,
      bytes: this.#meter.bytes,
      totalBytes: input.size ?? null,
      rate: this.#meter.rate,
      quietSeconds: this.#conversation?.phase === 'sending' ? this.#meter.quietSeconds : 0,
      seconds: this.#conversation === undefined && this.#transfers === 0 ? 0 : this.#meter.seconds,
      uptimeSeconds: posix.clock.now() - this.#started,
      file: input.name,
    };
  }

  /** Leaves the addresses that are allowed; returns what is wrong if none is. */
  #restrictAddresses(): TransferError | undefined {
    const { addresses } = this.#connection;
    const { name, allow = [] } = this.#options;
    const [first, ...others] = addresses.filter(
      (address) => allow.length === 0 || isInRanges(address, allow),
    );
    if (first !== undefined) {
      this.#connection.restrictTo([first, ...others]);
      return undefined;
    }
    const all = addresses.map(formatAddress).join(', ');
    const which = addresses.length === 1 ? 'which is not' : 'none of which is';
    return new TransferError('EACCES', `${name} is ${all}, ${which} an address that is allowed`);
  }

  #onConnect(): void {
    this.#phase = 'connecting';
    const { attemptSeconds = ATTEMPT_SECONDS } = this.#options;
    if (!this.#hasMoreAddresses) return;
    // A timeout in whole seconds is due up to a second early. Without an event left, the kernel's own time ends the attempt.
    this.#attemptLimit.setTimer(attemptSeconds + 1, () => {
      tdReplicationConnectKill(this.#connection.struct);
      this.#connection.failAttempt(errno.ETIMEDOUT);
      this.#connect();
    });
  }

  get #hasMoreAddresses(): boolean {
    return this.#connection.addresses.length > 1;
  }

  #connect(): void {
    if (tdReplicationClientStart(this.#connection.struct) < 0) {
      this.#fail(this.#connection.error('cannot start to connect'));
    }
  }

  #connectLater(): void {
    const result = this.#retry.setTimer(RETRY_SECONDS, () => this.#connect());
    if (result < 0)
      this.#fail(new TransferError(errnoCode(result), `cannot wait to try again: ${inWords(-result)}`));
  }

  /** Another call than connect fails the role, which is then reported in its place. */
  #onFailedCall(error: number): void {
    this.#phase = 'waiting to try again';
    this.#attemptLimit.clear();
    const { attempts, address } = this.#connection;
    const failed = {
      attempts,
      code: errnoCode(error),
      message: inWords(error),
      ...(this.#hasMoreAddresses && { address }),
    };
    this.#connection.useNextAddress();
    // Whether the module tries again is known by the end of this callback.
    queueMicrotask(() => {
      if (this.#phase !== 'ended') this.#options.observer.onEvent({ event: 'retrying', ...failed });
    });
  }

  #gaveUp(): void {
    if (passing.has(this.#connection.lastError)) this.#connectLater();
    else this.#fail(this.#connection.error(`cannot connect to ${this.#connection.address}`));
  }

  #established(): void {
    const { posix, registrar, observer, raw, idleSeconds } = this.#options;
    const { silenceSeconds = SILENCE_SECONDS } = this.#options;
    const { fd } = this.#connection.struct;
    this.#attemptLimit.clear();
    this.#connection.forgetError();
    this.#meter = new Meter(posix.clock, () => observer.onProgress());
    this.#conversation = new Sending({
      registrar,
      posix,
      fd,
      input: this.#input,
      meter: this.#meter,
      raw,
      idleSeconds,
      onEnd: (outcome) => this.#onConversationEnd(outcome),
    });
    this.#silence = new SilenceWatch({
      registrar,
      posix,
      fd,
      seconds: silenceSeconds,
      onSilent: () => this.#conversation?.onSilence(silenceSeconds),
    });
    observer.onEvent({ event: 'established', peer: this.#connection.peer ?? this.#connection.address });
    this.#conversation?.start();
  }

  #onConversationEnd(outcome: SendingOutcome): void {
    const { observer } = this.#options;
    this.#conversation = undefined;
    this.#silence?.[Symbol.dispose]();
    this.#meter.stop();
    if (outcome.kind === 'turned-away') {
      this.#turnedAway(outcome.reason === undefined ? ENDED_AT_ONCE : `the backup is ${outcome.reason}`);
      return this.#connectLater();
    }
    if (outcome.kind === 'late') return this.#wasLate();
    if (outcome.kind === 'failed') return this.#fail(new TransferError(outcome.code, outcome.message));
    this.#transfers += 1;
    this.#phase = 'ended';
    const { seconds, rate } = this.#meter;
    const { confirmed, bytes, sha256 } = outcome;
    observer.onEvent({ event: 'complete', confirmed, bytes, sha256, seconds, rate, file: this.#input.name });
    tdReplicationConnectKill(this.#connection.struct);
    return this.#finish({ kind: 'complete' });
  }

  #turnedAway(message: string): void {
    tdReplicationConnectKill(this.#connection.struct);
    this.#phase = 'waiting to try again';
    this.#options.observer.onEvent({ event: 'turned-away', message });
  }

  #wasLate(): void {
    const { again, name } = this.#input;
    if (again === undefined)
      return this.#fail(new TransferError('ETIMEDOUT', `${LATE}; ${name} cannot be read again`));
    this.#turnedAway(LATE);
    void this.#sendAgain(again);
    return undefined;
  }

  async #sendAgain(again: () => Promise<Input>): Promise<void> {
    try {
      const input = await again();
      if (this.#phase === 'ended') input.stream.destroy();
      else {
        this.#input = input;
        this.#connectLater();
      }
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      if (this.#phase !== 'ended') this.#fail(error);
    }
  }

  #fail({ code, message }: TransferError): void {
    this.#phase = 'ended';
    this.#options.observer.onEvent({ event: 'failed', code, message, bytes: this.#meter.bytes });
    this.#finish({ kind: 'failed' });
  }

  #finish(outcome: TransferOutcome): void {
    const { posix } = this.#options;
    this.#conversation?.stop();
    this.#conversation = undefined;
    this.#silence?.[Symbol.dispose]();
    this.#retry.clear();
    this.#attemptLimit.clear();
    const { struct } = this.#connection;
    if (this.#connection.state === 'established') resetConnection(posix, struct.fd);
    tdReplicationConnectKill(struct);
    this.#input.stream.destroy();
    this.#end(outcome);
  }
}
