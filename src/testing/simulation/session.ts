// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import { type Posix, SHUT_WR } from '../../posix/posix.js';
import { type EventId, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../scheduler/event.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import type { CheckedStreams, IncomingStream, OutgoingStream } from '../invariants/checked-streams.js';
import type { Random } from '../random.js';

/** A connection on which nothing came for so many heartbeats is given up. */
const MAX_SILENT_BEATS = 4;
/** Between two heartbeats; events of a descriptor alone have no use for it. */
const BEAT_SECONDS = 1;
const READ_BYTES = 1500;

export interface SessionContext {
  readonly events: EventRegistrar;
  readonly posix: Posix;
  readonly random: Random;
  readonly streams: CheckedStreams;
  readonly owner: string;
  /** The session is over: its events are gone, its descriptor is still open. */
  readonly over: (why: string) => void;
}

/**
 * What goes over one established connection: both sides send checked streams, in bursts of random size, and a few bytes
 * a second as a heartbeat, until one of them ends it, or nothing comes any more.
 */
export class Session {
  readonly incoming: IncomingStream;
  readonly outgoing: OutgoingStream;
  readonly #context: SessionContext;
  readonly #fd: number;
  #readEvent: EventId = -1;
  #writeEvent: EventId = -1;
  #beatEvent: EventId = -1;
  /** Bytes still to be written. */
  #toSend: number;
  #silentBeats = 0;
  /** Heartbeats after which it says that nothing follows; Infinity for never. */
  #beatsToEnd: number;
  #isShut = false;

  /** @param isTalkative whether it is the side that may end its stream of its own accord */
  constructor(context: SessionContext, fd: number, isTalkative: boolean) {
    const { random, streams, owner } = context;
    this.#context = context;
    this.#fd = fd;
    this.incoming = streams.incoming(owner);
    this.outgoing = streams.outgoing(owner);
    this.#toSend = 4 + random.integer(0, random.chance(0.15) ? 12_000 : 1500);
    this.#beatsToEnd = isTalkative && random.chance(0.3) ? random.integer(0, 4) : Infinity;
  }

  /** It has said that nothing follows: the other side will end the session. */
  get isShut(): boolean {
    return this.#isShut;
  }

  start(): void {
    this.#beatEvent = this.#register(TIMEOUT, () => this.#beat());
    this.#readEvent = this.#register(POLL_READ_FD, () => this.#read());
    this.#wantToWrite();
  }

  /** Says that nothing follows from this side for as long as the session lasts. */
  neverEnd(): void {
    this.#beatsToEnd = Infinity;
  }

  /** Ends it without a word: the owner does what follows. */
  stop(): void {
    for (const id of [this.#readEvent, this.#writeEvent, this.#beatEvent]) {
      if (id > 0) this.#context.events.unregisterEvent(id);
    }
    this.#readEvent = this.#writeEvent = this.#beatEvent = -1;
  }

  #register(mode: number, callback: () => void): EventId {
    return this.#context.events.registerEvent(mode, this.#fd, BEAT_SECONDS, callback);
  }

  #end(why: string): void {
    this.stop();
    this.#context.over(why);
  }

  #beat(): void {
    this.#silentBeats += 1;
    if (this.#silentBeats > MAX_SILENT_BEATS) return this.#end('nothing comes any more');
    this.#readOrPause();
    if (this.#isShut) return;
    this.#beatsToEnd -= 1;
    this.#toSend += this.#context.random.integer(1, 20);
    this.#wantToWrite();
  }

  /** Now and then it stops reading for a beat, so that the other side's buffers fill. */
  #readOrPause(): void {
    if (this.#readEvent < 0) this.#readEvent = this.#register(POLL_READ_FD, () => this.#read());
    else if (this.#context.random.chance(0.1)) {
      this.#context.events.unregisterEvent(this.#readEvent);
      this.#readEvent = -1;
    }
  }

  #read(): void {
    const buffer = new Uint8Array(this.#context.random.integer(1, READ_BYTES));
    const count = this.#context.posix.read(this.#fd, buffer);
    if (count === -errno.EAGAIN) return;
    if (count < 0) return this.#end('reading failed');
    this.#silentBeats = 0;
    if (count > 0) return this.incoming.receive(buffer.subarray(0, count));
    this.incoming.end();
    this.#end('end of file');
  }

  #wantToWrite(): void {
    if (this.#writeEvent < 0) this.#writeEvent = this.#register(POLL_WRITE_FD, () => this.#write());
  }

  #write(): void {
    const { posix, random, events } = this.#context;
    const bytes = this.outgoing.next(Math.min(this.#toSend, random.integer(1, 3000)));
    const count = posix.write(this.#fd, bytes);
    if (count === -errno.EAGAIN) return;
    if (count < 0) return this.#end('writing failed');
    this.outgoing.took(count);
    this.#toSend -= count;
    if (this.#toSend > 0) return;
    events.unregisterEvent(this.#writeEvent);
    this.#writeEvent = -1;
    if (this.#beatsToEnd <= 0) {
      this.#isShut = true;
      if (posix.shutdown(this.#fd, SHUT_WR) < 0) this.#end('shutting down failed');
    }
  }
}
