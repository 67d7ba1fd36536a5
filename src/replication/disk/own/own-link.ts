// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { FewWrites } from '../few-writes.js';
import { madeTogether } from '../connection-resources.js';
import { Timer, type TimerHost } from '../timer.js';
import { frameHeader, type FrameName, ProtocolError } from '../wire/frame.js';
import { FrameReader } from '../wire/frame-reader.js';
import type { PeerStream } from '../wire/peer-stream.js';

export interface OwnLinkOptions {
  readonly host: TimerHost;
  readonly stream: PeerStream;
  /** A ping after this long without sending. */
  readonly pingSeconds: number;
  /** The peer is given up after this long without a byte. */
  readonly peerTimeoutSeconds: number;
}

export interface OwnLinkEvents {
  /** A frame but ping and pong. What it throws as a ProtocolError ends the connection. */
  frame(name: FrameName, body: Uint8Array, sequence: number): void;
  drained(): void;
  /** The connection is over; not after {@link OwnLink.close}. */
  lost(reason: string): void;
}

/** They go with what follows, or in the scheduler's next pass. */
const SOON: ReadonlySet<FrameName> = new Set<FrameName>(['syncData', 'compare']);
/**
 * A write is of no use to the backup before its commit. So small ones wait for one another for this long: to send each takes both
 * sides more time than all else that is done for it, and the next write of the disk's user waits meanwhile. Where checkpoints
 * have few, they go at once.
 */
const GATHER_SECONDS = 0.002;

/** Frames and heartbeat over a connection to an own peer. */
export class OwnLink {
  readonly #options: OwnLinkOptions;
  readonly #reader: FrameReader;
  readonly #timer: Timer;
  readonly #gathering: Timer;
  readonly #few = new FewWrites();
  /** Who is notified; a session takes over once the peer has said what it is. */
  events: OwnLinkEvents;
  #sequence = 0;
  /** A frame was sent since the last tick. */
  #hasSent = false;
  #silentTicks = 0;
  #received = 0;
  /** Why no frame is taken now. */
  readonly #pauses = new Set<string>();
  #isOver = false;

  /** @throws StateError when there is no descriptor or event left */
  constructor(options: OwnLinkOptions, events: OwnLinkEvents) {
    this.#options = options;
    this.events = events;
    const { host, stream } = options;
    [this.#timer, this.#gathering] = madeTogether<[Timer, Timer]>(
      () => new Timer(host, () => this.#tick()),
      () => new Timer(host, () => stream.flush()),
    );
    this.#reader = new FrameReader(
      (name, body, sequence) => this.#take(name, body, sequence),
      () => this.#isPaused || this.#isOver,
    );
  }

  /** Takes frames from now on, from what has come already first. */
  start(rest: Uint8Array): void {
    const { stream, pingSeconds } = this.#options;
    stream.events = {
      bytes: (chunk) => this.#guard(() => this.#reader.push(chunk)),
      drained: () => this.events.drained(),
      ended: (reason) => this.#lose(reason),
    };
    this.#timer.set(pingSeconds);
    this.#guard(() => this.#reader.push(rest));
    if (!this.#isPaused && !this.#isOver) stream.resume();
  }

  get queuedBytes(): number {
    return this.#options.stream.queuedBytes;
  }
  get sentBytes(): number {
    return this.#options.stream.sentBytes;
  }
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends a frame; its sequence. The parts are copied. */
  send(name: FrameName, parts: readonly Uint8Array[] = []): number {
    const sequence = this.#sequence;
    if (this.#isOver) return sequence;
    this.#sequence += 1;
    this.#hasSent = true;
    const { stream } = this.#options;
    stream.queue(frameHeader(name, sequence, parts));
    for (const part of parts) stream.queue(part);
    if (name === 'write') {
      if (this.#few.wrote()) stream.flushSoon();
      else if (stream.queuedBytes > 0 && !this.#gathering.isSet) this.#gathering.set(GATHER_SECONDS);
      return sequence;
    }
    if (name === 'commit') this.#few.closed();
    if (name === 'abort') this.#few.dropped();
    if (SOON.has(name)) stream.flushSoon();
    else stream.flush();
    return sequence;
  }

  sendJson(name: FrameName, value: object): void {
    this.send(name, [Buffer.from(JSON.stringify(value), 'utf8')]);
  }

  /** Keeps back what is sent from now on, until what is returned is called. */
  gate(): () => void {
    return this.#options.stream.gate();
  }

  /** Takes no frame as long as there is a reason for that; the peer's silence is not held against it. */
  pause(reason: string): void {
    this.#pauses.add(reason);
    this.#options.stream.pause();
  }

  /** The reason holds no more. */
  resume(reason: string): void {
    if (!this.#pauses.delete(reason) || this.#isPaused || this.#isOver) return;
    this.#guard(() => this.#reader.resume());
    if (!this.#isPaused && !this.#isOver) this.#options.stream.resume();
  }

  get #isPaused(): boolean {
    return this.#pauses.size > 0;
  }

  /** Ends the connection; nobody is notified. Idempotent. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.close();
    this.#gathering.close();
    this.#options.stream.close();
  }

  #take(name: FrameName, body: Uint8Array, sequence: number): void {
    // What waits to be sent says as much to the peer, and a peer that takes nothing must not pile up pongs.
    if (name === 'ping') {
      if (this.queuedBytes === 0) this.send('pong');
    } else if (name !== 'pong') this.events.frame(name, body, sequence);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#lose(`the peer broke the protocol: ${error.message}`);
    }
  }

  #tick(): void {
    const { stream, pingSeconds, peerTimeoutSeconds } = this.#options;
    // Periods are counted, not times compared: a clock that is set makes nobody's peer late.
    const heard = stream.receivedBytes !== this.#received || this.#isPaused;
    this.#received = stream.receivedBytes;
    this.#silentTicks = heard ? 0 : this.#silentTicks + 1;
    if (this.#silentTicks * pingSeconds >= peerTimeoutSeconds) {
      this.#lose(`nothing came from the peer for ${peerTimeoutSeconds} s`);
      return;
    }
    if (!this.#hasSent) this.send('ping');
    this.#hasSent = false;
    if (!this.#isOver) this.#timer.set(pingSeconds);
  }

  #lose(reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.events.lost(reason);
  }
}
