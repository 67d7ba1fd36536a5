// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_DEBUG, LOG_INFO, LOG_WARNING, type Logger } from '../server/logger.js';
import type { Completions } from '../disks/index.js';
import type { BufferPool } from '../posix/buffers.js';
import type { NbdExports } from './exports.js';
import { type HandshakeEnd, type HandshakeParts, ServerHandshake } from './handshake.js';
import { abortConnection } from '../server/abort-connection.js';
import { isUnanswered } from '../server/silence.js';
import { Standstill } from '../server/standstill.js';
import type { HandshakePace } from './handshake-pace.js';
import type { MemoryShare, RequestMemory } from './request-memory.js';
import { type PumpResult, Receiver } from './receiver.js';
import { Sender } from './sender.js';
import type { TlsServer } from './tls.js';
import { Transmission } from './transmission.js';

/** What all connections of a server share. */
export interface ConnectionParts {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  /** For lines that a client can cause as often as it likes. */
  readonly calm: Logger;
  readonly completions: Completions;
  readonly exports: NbdExports;
  /** The memory for data: for file calls that other threads make, and for disks that copy it. */
  readonly pools: { readonly shared: BufferPool<Buffer>; readonly ordinary: BufferPool<Buffer> };
  /** With it, clients have to start TLS. */
  readonly tls: TlsServer | undefined;
  readonly maxRequestsInFlight: number;
  readonly maxBytesInFlight: number;
  /** A client that has not come to a disk in this time is dropped. */
  readonly handshakeTimeoutSeconds: number;
  /** How long a connection that ends waits for its last requests and for the client to take the replies. */
  readonly finishTimeoutSeconds: number;
  /** See {@link NbdLimits.stallTimeoutSeconds}. */
  readonly stallTimeoutSeconds: number;
  /** See {@link NbdLimits.idleTimeoutSeconds}. */
  readonly idleTimeoutSeconds: number;
  /** The memory for data, for all connections. */
  readonly memory: RequestMemory;
  /** How many may start TLS a second. */
  readonly pace: HandshakePace;
}

/** Who is at the other end. */
export interface ConnectionPeer {
  /** For the log. */
  readonly name: string;
  /** Its IP address, where it has one. */
  readonly host: string | undefined;
}

/** What a connection asks of its server, and reports to it. */
export interface ConnectionCalls {
  readonly onClosed: () => void;
  /** Whether it may have a disk; if not, the reason, for people. */
  readonly admit: () => string | undefined;
}

/**
 * One client's connection.
 *
 *     handshake ──STARTTLS──▶ securing ──▶ handshake
 *         │ GO, EXPORT_NAME
 *         ▼
 *     transmission ──disconnect, end of stream, nonsense, disk closed──▶ finishing ──all sent, or too late──▶ closed
 *
 * A handshake that ends without a disk goes to finishing too. An error on the descriptor, and a time that is over, closes
 * from anywhere. What a client does ends its own connection at most.
 */
export type ConnectionPhase = 'handshake' | 'securing' | 'transmission' | 'finishing' | 'closed';

type TransmissionEnd = Extract<HandshakeEnd, { readonly kind: 'transmission' }>;

const nothing = Buffer.alloc(0);
/** How often per turn a connection is read from and replied to. */
const MAX_ROUNDS = 4;
/** Replies of this many bytes do not wait for others. */
const LARGE_REPLY_BYTES = 32 << 10;

export class NbdConnection {
  readonly #parts: ConnectionParts;
  readonly #peer: string;
  readonly #host: string | undefined;
  readonly #onClosed: () => void;
  readonly #admit: () => string | undefined;
  #fd: number;
  #phase: ConnectionPhase = 'handshake';
  #receiver: Receiver;
  #sender: Sender;
  #transmission: Transmission | undefined;
  readonly #readEvent: AwaitedEvent;
  readonly #timer: AwaitedEvent;
  #stopListening = (): void => {};
  #giveUpTls: (() => void) | undefined;
  readonly #memory: MemoryShare;
  readonly #stall = new Standstill();
  readonly #idleness = new Standstill();
  readonly #quiet = new Standstill();
  readonly #silence = new Standstill();
  #pumping = false;
  #posted = false;

  /** Takes over a connected descriptor. */
  constructor(
    fd: number,
    { name, host }: ConnectionPeer,
    parts: ConnectionParts,
    { onClosed, admit }: ConnectionCalls,
  ) {
    this.#fd = fd;
    this.#peer = name;
    this.#host = host;
    this.#parts = parts;
    this.#readEvent = new AwaitedEvent(parts.registrar, 'NBD, requests');
    this.#timer = new AwaitedEvent(parts.registrar, 'NBD, time limit');
    this.#onClosed = onClosed;
    this.#admit = admit;
    this.#memory = parts.memory.share();
    this.#receiver = new Receiver(parts.posix, fd);
    this.#sender = this.#newSender();
  }

  /** Whether it has come to no disk yet. */
  get isNegotiating(): boolean {
    return this.#phase === 'handshake' || this.#phase === 'securing';
  }

  start(): void {
    this.#setTimer(this.#parts.handshakeTimeoutSeconds, () => 'no disk was chosen in time');
    this.#handshake({ tls: this.#parts.tls ? 'required' : 'none', noZeroes: false }).greet();
    this.#run();
  }

  /** Takes no further request, answers those in flight, and closes; at the latest after a time, in seconds. */
  finish(reason: string, seconds = this.#parts.finishTimeoutSeconds): void {
    if (this.#phase === 'finishing' || this.#phase === 'closed') return;
    this.#parts.logger.log(LOG_DEBUG, `nbd: ${this.#peer}: ${reason}`);
    // Between two descriptors there is nothing to be said, and the old one's number may be another's by now.
    if (this.#phase === 'securing') return this.close();
    this.#phase = 'finishing';
    this.#receiver.stop();
    this.#transmission?.end();
    this.#setTimer(seconds, () =>
      this.#sender.pendingBytes + (this.#parts.posix.unsent?.(this.#fd) ?? 0) > 0
        ? 'it did not take its last replies in time'
        : 'its disk did not complete its last requests in time',
    );
    this.#sender.queue(nothing, () => this.#closeIfFinished());
    this.#runSoon();
  }

  /** Closes at once, and drops what was not sent. Requests that the disk has continue there; their results are dropped. */
  close(): void {
    this.#close((fd) => abortConnection(this.#parts.posix, fd));
  }

  /**
   * To be called now and then. A client that stops in the middle of a request, or, while others wait for memory, does
   * not take data that it has asked for, is dropped when its time is over.
   */
  dropIfStalled(): void {
    const { posix, stallTimeoutSeconds, memory } = this.#parts;
    const transmission = this.#servingTransmission();
    if (!transmission) return;
    const { isReceivingData, isSendingData } = transmission;
    const isHalfSent = isReceivingData || (this.#receiver.expecting && this.#receiver.isMidMessage);
    const progress = [
      this.#receiver.receivedBytes,
      this.#sender.pendingBytes,
      posix.unsent?.(this.#fd),
    ].join();
    const state = isHalfSent || isSendingData ? progress : undefined;
    if (this.#stall.seconds(state, posix.clock.now()) < stallTimeoutSeconds) return;
    if (isHalfSent) this.drop('it has left off in the middle of a request');
    else if (memory.isShort) this.drop('it does not take its data, and others wait for the memory');
  }

  /**
   * To be called now and then. A client whose host leaves what was sent to it unanswered for too long is dropped; one that
   * only takes nothing is not: its kernel answers. (Known by /proc/net; elsewhere the kernel gives up after a quarter of an
   * hour.)
   *
   * @param seconds how long it may be silent
   */
  dropIfSilent(seconds: number): void {
    const { posix } = this.#parts;
    if (!this.#servingTransmission()) return;
    const now = posix.clock.now();
    // Of one that sends, the kernel need not be asked.
    const isQuiet = this.#quiet.seconds(String(this.#receiver.receivedBytes), now) > 0;
    const isSilent = isQuiet && isUnanswered(posix, this.#fd);
    if (this.#silence.seconds(isSilent ? 'silent' : undefined, now) < seconds) return;
    this.drop('its host does not answer');
  }

  /** To be called now and then. A client that has asked for nothing for too long is let go. */
  finishIfIdle(): void {
    const { posix, idleTimeoutSeconds } = this.#parts;
    const transmission = this.#servingTransmission();
    if (idleTimeoutSeconds === 0 || !transmission) return;
    const state = transmission.requestsInFlight > 0 ? undefined : String(this.#receiver.receivedBytes);
    if (this.#idleness.seconds(state, posix.clock.now()) < idleTimeoutSeconds) return;
    this.#parts.logger.log(LOG_INFO, `nbd: ${this.#peer} sent no request for ${idleTimeoutSeconds} s`);
    this.finish('it is idle');
  }

  #servingTransmission(): Transmission | undefined {
    return this.#phase === 'transmission' ? this.#transmission : undefined;
  }

  #close(closeDescriptor: (fd: number) => void): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#receiver.close();
    this.#transmission?.end();
    this.#sender.close();
    this.#stopListening();
    this.#timer.clear();
    this.#updateReadInterest();
    this.#giveUpTls?.();
    if (this.#fd >= 0) closeDescriptor(this.#fd);
    this.#onClosed();
  }

  #handshake(state: Pick<HandshakeParts, 'tls' | 'noZeroes'>): ServerHandshake {
    return new ServerHandshake({
      receiver: this.#receiver,
      sender: this.#sender,
      exports: this.#parts.exports,
      ...state,
      admit: this.#admit,
      onExpecting: () => this.#runSoon(),
      onEnd: (end) => this.#handshakeEnded(end),
    });
  }

  #handshakeEnded(end: HandshakeEnd): void {
    switch (end.kind) {
      case 'closed':
        return this.finish(end.reason);
      case 'tls':
        this.#phase = 'securing';
        // The client speaks TLS as soon as it has the answer, so that has to be out, and nothing may be read in the clear.
        return this.#sender.queue(nothing, () => this.#awaitTls(end.noZeroes));
      case 'transmission':
        return this.#transmit(end);
    }
  }

  #awaitTls(noZeroes: boolean): void {
    this.#updateReadInterest();
    let isWaiting = true;
    const leave = this.#parts.pace.enter(this.#host, () => {
      isWaiting = false;
      this.#secure(noZeroes);
    });
    if (isWaiting) this.#giveUpTls = leave;
  }

  #secure(noZeroes: boolean): void {
    const { tls, calm, posix } = this.#parts;
    if (!tls) return;
    this.#giveUpTls = tls.secure(this.#fd, (fd, reason) => {
      this.#fd = fd;
      this.#giveUpTls = undefined;
      if (fd < 0) {
        calm.log(LOG_WARNING, `nbd: ${this.#peer}: cannot start TLS: ${reason ?? errnoCode(fd)}`);
        this.close();
        return;
      }
      this.#phase = 'handshake';
      this.#receiver = new Receiver(posix, fd);
      this.#sender = this.#newSender();
      this.#handshake({ tls: 'secured', noZeroes }).expectOption();
      this.#run();
    });
    this.#fd = -1;
  }

  #transmit({ export: found, negotiated }: TransmissionEnd): void {
    this.#phase = 'transmission';
    this.#timer.clear();
    this.#parts.logger.log(LOG_INFO, `nbd: ${this.#peer} uses export '${found.name}'`);
    this.#stopListening = found.onClosed(() => this.finish('the disk was closed'));
    const { posix, pools, maxRequestsInFlight, maxBytesInFlight } = this.#parts;
    const pool = found.device.info.copiesData ? pools.ordinary : pools.shared;
    this.#receiver.usePool(pool, posix.dedicate?.(this.#fd, pool) === 0);
    this.#sender.usePool(pool);
    this.#transmission = new Transmission({
      device: found.device.forClient(),
      ...negotiated,
      receiver: this.#receiver,
      sender: this.#sender,
      pool,
      memory: this.#memory,
      maxRequestsInFlight,
      maxBytesInFlight,
      post: (task) => this.#parts.completions.post(task),
      onQueued: () => this.#replyQueued(),
      onExpecting: () => this.#runSoon(),
      onAnswered: () => this.#closeIfFinished(),
      onEnd: (reason) => this.finish(reason),
    });
    this.#transmission.expectRequest();
  }

  /** Reads requests and sends replies, as far as the descriptor allows. */
  #run(): void {
    if (this.#pumping || this.#phase === 'closed') return;
    this.#pumping = true;
    let result: PumpResult;
    let rounds = 0;
    try {
      do {
        result = this.#receiver.pump();
        this.#sender.flush();
        // What was sent may have made room for further requests, some of which were read ahead.
      } while (result === 'idle' && this.#receiver.expecting && ++rounds < MAX_ROUNDS);
    } finally {
      // Otherwise a bug of ours, which shuts the daemon down, would leave a readable descriptor that nobody reads.
      this.#pumping = false;
    }
    // A fast client could go on here for ever. What was read ahead makes no descriptor readable.
    if (result === 'idle' && this.#receiver.expecting) this.#runSoon();
    this.#pumped(result);
    this.#updateReadInterest();
  }

  #pumped(result: PumpResult): void {
    if (result === 'end') {
      this.finish(
        this.#receiver.isMidMessage
          ? 'the client has gone in the middle of a message'
          : 'the client has gone',
      );
    } else if (typeof result === 'number') {
      this.#lost(result);
    }
  }

  /** Replies go out together, unless they are large: then the client has one while the next is being read. */
  #replyQueued(): void {
    if (this.#sender.pendingBytes >= LARGE_REPLY_BYTES && this.#sender.isClear) this.#sender.flush();
    this.#runSoon();
  }

  /** Runs after what is under way: replies that come together go out together. */
  #runSoon(): void {
    if (this.#pumping || this.#posted) return;
    this.#posted = true;
    this.#parts.completions.post(() => {
      this.#posted = false;
      this.#run();
    });
  }

  #closeIfFinished(): void {
    const idle = (this.#transmission?.requestsInFlight ?? 0) === 0;
    if (this.#phase === 'finishing' && idle && this.#sender.pendingBytes === 0) {
      this.#close((fd) => this.#parts.posix.close(fd));
    }
  }

  #newSender(): Sender {
    const { registrar, posix } = this.#parts;
    return new Sender(registrar, posix, this.#fd, (error) => this.#lost(error));
  }

  #lost(error: number): void {
    if (this.#phase === 'closed') return;
    // A client that has said goodbye may be gone before it is answered.
    const priority = this.#phase === 'finishing' ? LOG_DEBUG : LOG_INFO;
    this.#parts.logger.log(priority, `nbd: ${this.#peer}: connection lost: ${errnoCode(error)}`);
    this.close();
  }

  /** The descriptor is asked for bytes exactly while some are expected: a client that sends too much has to wait. */
  #updateReadInterest(): void {
    const isReading = this.#receiver.expecting && this.#phase !== 'closed';
    if (isReading === this.#readEvent.isSet) return;
    if (!isReading) return this.#readEvent.clear();
    const result = this.#readEvent.set(POLL_READ_FD, this.#fd, 0, () => this.#run());
    if (result < 0) this.#lost(result);
  }

  #setTimer(seconds: number, reason: () => string): void {
    const result = this.#timer.setTimer(seconds, () => this.drop(reason()));
    if (result < 0) this.#lost(result);
  }

  /** Closes at once, and logs why. */
  drop(reason: string): void {
    this.#parts.logger.log(LOG_INFO, `nbd: ${this.#peer} is dropped: ${reason}`);
    this.close();
  }
}
