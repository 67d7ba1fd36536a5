// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode, strerror } from '../../../posix/errno.js';
import { IPPROTO_TCP, TCP_NODELAY } from '../../../posix/posix.js';
import { AwaitedEvent } from '../../../scheduler/awaited-event.js';
import { POLL_READ_FD, POLL_WRITE_FD } from '../../../scheduler/event.js';
import { spareBuffers } from '../spare-buffers.js';
import type { TimerHost } from '../timer.js';
import { SendQueue } from './send-queue.js';

const READ_BYTES = 256 << 10;
/** What is queued, and does not wait for the system, is sent when it is so much. */
const FLUSH_BYTES = 128 << 10;
/** What one callback reads at most, so that other descriptors have their turn. */
const MAX_READS = 4;

export interface PeerStreamEvents {
  /** What has come; the bytes are the stream's again when it returns. */
  bytes(chunk: Uint8Array): void;
  /** Half of what waited has been sent, and then half of that, down to the last byte. */
  drained(): void;
  /** The other side has ended the stream, or it broke: nothing comes any more. Called once, not after {@link PeerStream.close}. */
  ended(reason: string): void;
}

/** A connection to a peer: bytes in and out as events of the scheduler, nothing waits. The descriptor is the stream's. */
export class PeerStream {
  readonly #host: TimerHost;
  readonly #fd: number;
  /** The current listener; another may take over, such as a session once the peer is known. */
  events: PeerStreamEvents;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #readable: AwaitedEvent;
  readonly #writable: AwaitedEvent;
  readonly #waiting = new SendQueue(spareBuffers);
  /** The system takes nothing now. */
  #isBlocked = false;
  #drainAt!: number;
  #mayNotifyDrain = false;
  #sentBytes = 0;
  #receivedBytes = 0;
  #isOver = false;
  /** What sending failed with; 0: it has not. */
  #failure = 0;
  #isPaused = true;

  constructor(host: TimerHost, fd: number, events: PeerStreamEvents) {
    this.#host = host;
    this.#fd = fd;
    this.#readable = new AwaitedEvent(host.registrar);
    this.#writable = new AwaitedEvent(host.registrar);
    // A commit and its answer are small, and somebody waits for both.
    host.posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // Where it cannot be, bytes come as they do otherwise.
    host.posix.dedicate?.(fd, spareBuffers);
    this.events = events;
  }

  get queuedBytes(): number {
    return this.#waiting.bytes;
  }
  /** All that was ever taken by the system. */
  get sentBytes(): number {
    return this.#sentBytes;
  }
  get receivedBytes(): number {
    return this.#receivedBytes;
  }
  /** Whether nothing is sent any more. */
  get isOver(): boolean {
    return this.#isOver || this.#failure < 0;
  }

  /** Reads from now on. */
  resume(): void {
    if (!this.#isPaused || this.#isOver) return;
    this.#isPaused = false;
    this.#await(this.#readable, POLL_READ_FD, () => this.#read());
  }

  /** Reads nothing from now on; an end of the stream is not noticed meanwhile. */
  pause(): void {
    this.#isPaused = true;
    this.#readable.clear();
  }

  /**
   * Sends bytes after all that waits; they are copied. If they cannot be sent, {@link PeerStreamEvents.ended} is called by an
   * event of its own, so that nobody's connection ends while they send.
   */
  send(bytes: Uint8Array): void {
    this.#add(bytes);
    this.flush();
  }

  /** As {@link send}, but with what follows: at the latest with {@link flush}, or once there is much. */
  queue(bytes: Uint8Array): void {
    this.#add(bytes);
    if (this.queuedBytes >= FLUSH_BYTES) this.flush();
  }

  /** Sends what was queued in the scheduler's next pass, unless it goes before. */
  flushSoon(): void {
    this.#wantWrite();
  }

  /** Sends what was queued. */
  flush(): void {
    if (!this.#isBlocked) this.#flush();
  }

  /** Keeps back what is sent from now on, until what is returned is called. */
  gate(): () => void {
    const open = this.#waiting.gate();
    return () => {
      open();
      this.#write();
    };
  }

  /** Ends the connection. What was sent and is not with the system is dropped. Idempotent. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#readable.clear();
    this.#writable.clear();
    this.#drop();
    this.#host.posix.close(this.#fd);
  }

  #read(): void {
    for (let reads = 0; reads < MAX_READS && !this.#isPaused && !this.#isOver; reads++) {
      const count = this.#host.posix.read(this.#fd, this.#buffer);
      if (count === -errno.EAGAIN) return;
      if (count <= 0) {
        if (count === 0) this.#end('the peer closed the connection');
        else this.#break('receiving', count);
        return;
      }
      this.#receivedBytes += count;
      this.events.bytes(this.#buffer.subarray(0, count));
      if (count < this.#buffer.length) return;
    }
  }

  #goOn(): void {
    if (this.#failure < 0) this.#break('sending', this.#failure);
    else this.#write();
  }

  #add(bytes: Uint8Array): void {
    if (this.isOver) return;
    this.#waiting.add(bytes);
    if (this.#mayNotifyDrain) this.#drainAt = Math.max(this.#drainAt, Math.floor(this.queuedBytes / 2));
  }

  #write(): void {
    const mayNotify = this.#mayNotifyDrain;
    this.#flush();
    if (!mayNotify || this.isOver || this.queuedBytes > this.#drainAt) return;
    // One that waits for less than this half is called again at the next.
    this.#drainAt = Math.floor(this.queuedBytes / 2);
    this.#mayNotifyDrain = this.queuedBytes > 0;
    this.events.drained();
  }

  /** Hands the system what it takes. */
  #flush(): void {
    this.#isBlocked = false;
    while (!this.isOver && this.#waiting.isReady) {
      const taken = this.#hand(this.#waiting.next() as [Uint8Array, ...Uint8Array[]]);
      if (taken === -errno.EAGAIN) {
        this.#isBlocked = true;
        break;
      }
      if (taken < 0) {
        this.#fail(taken);
        return;
      }
      this.#sentBytes += taken;
    }
    if (this.queuedBytes > 0 && !this.#mayNotifyDrain) {
      this.#mayNotifyDrain = true;
      this.#drainAt = Math.floor(this.queuedBytes / 2);
    }
    this.#wantWrite();
  }

  /** @returns how many bytes the system took, or a negative errno */
  #hand(parts: readonly [Uint8Array, ...Uint8Array[]]): number {
    const { posix } = this.#host;
    let release: (() => void) | undefined;
    const sent = posix.send?.(this.#fd, parts, () => release?.()) ?? -errno.EOPNOTSUPP;
    if (sent >= 0) {
      release = this.#waiting.took(sent);
      return sent;
    }
    if (sent !== -errno.EOPNOTSUPP) return sent;
    const taken = posix.write(this.#fd, parts[0]);
    // What was taken by it is copied.
    if (taken > 0) this.#waiting.took(taken)();
    return taken;
  }

  #wantWrite(): void {
    const isNeeded = !this.#isOver && (this.#failure < 0 || this.#waiting.isReady);
    if (!isNeeded) this.#writable.clear();
    else if (!this.#writable.isSet) this.#await(this.#writable, POLL_WRITE_FD, () => this.#goOn());
  }

  #await(event: AwaitedEvent, mode: number, callback: () => void): void {
    const result = event.set(mode, this.#fd, 0, callback);
    if (result < 0) this.#break('registering an event', result);
  }

  /** A descriptor that cannot be written to any more is ready to be, so that the failure is reported at once. */
  #fail(result: number): void {
    this.#failure = result;
    this.#drop();
    this.#wantWrite();
  }

  #drop(): void {
    this.#waiting.clear();
  }

  #break(doing: string, result: number): void {
    this.#end(`${doing} failed: ${errnoCode(result)} (${strerror(-result)})`);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.events.ended(reason);
  }
}
