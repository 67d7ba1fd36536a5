// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress, type SocketAddress } from '../posix/address.js';
import { errno } from '../posix/errno.js';
import type { EndpointHost } from './endpoint-host.js';
import { type Piece, ReceiveHalf, SendHalf } from './halves.js';
import {
  DATA_PAUSE,
  DATA_RETRIES,
  FIN_TIMEOUT,
  HELLO_PAUSE,
  ORPHAN_RETRIES,
  Retries,
  SYN_ACK_RETRIES,
  SYN_RETRIES,
} from './retries.js';
import { bareSegment, type Segment, type SegmentKind } from './segment.js';

/**
 * Where an endpoint stands.
 *
 *     syn-sent ─────SYN+ACK────> established ──both ends of file acknowledged──> finished
 *     syn-received ───ACK──────> established
 *     any ──reset, given up, or dropped by its host──> gone
 */
export type EndpointState = 'syn-sent' | 'syn-received' | 'established' | 'finished' | 'gone';

/** One end of a simulated TCP connection: in order, acknowledged, sent again when lost, with windows and resets. */
export class Endpoint {
  state: EndpointState;
  peer: Endpoint | undefined;
  /** An errno that has not been reported yet; 0 for none. */
  pendingError = 0;
  /** Called when what can be done with it may have changed. */
  changed: () => void = () => {};
  /** A listener's endpoint: asks for a place among those to be accepted; false when there is none. */
  admit: () => boolean = () => false;
  readonly sending: SendHalf;
  readonly receiving: ReceiveHalf;
  #isOrphan = false;
  readonly #retries: Retries;
  #helloAt = 0;

  readonly host: EndpointHost<Endpoint>;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;

  private constructor(
    host: EndpointHost<Endpoint>,
    local: SocketAddress,
    remote: SocketAddress,
    state: EndpointState,
  ) {
    this.host = host;
    this.local = local;
    this.remote = remote;
    this.state = state;
    this.#retries = new Retries(host.queue);
    this.sending = new SendHalf(host.buffers.sendBytes);
    this.receiving = new ReceiveHalf(host.buffers.receiveBytes);
  }

  /** The client's end: says hello at once. */
  static connect(host: EndpointHost<Endpoint>, local: SocketAddress, remote: SocketAddress): Endpoint {
    const endpoint = new Endpoint(host, local, remote, 'syn-sent');
    endpoint.#hello();
    return endpoint;
  }

  /** The listener's end, of a connection that `peer` has asked for: replies at once. */
  static answer(host: EndpointHost<Endpoint>, local: SocketAddress, peer: Endpoint): Endpoint {
    const endpoint = new Endpoint(host, local, peer.local, 'syn-received');
    endpoint.peer = peer;
    endpoint.#hello();
    return endpoint;
  }

  get isOpen(): boolean {
    return this.state === 'established' || this.state === 'finished';
  }

  describe(): string {
    return `${this.state} ${formatAddress(this.local)} -> ${formatAddress(this.remote)}`;
  }

  /** A read would not have to wait. */
  get isReadable(): boolean {
    return this.receiving.length > 0 || this.receiving.isEnded || this.state === 'gone';
  }

  /** A write would not have to wait. */
  get isWritable(): boolean {
    return this.sending.room > 0 || this.sending.isShut || this.state !== 'established';
  }

  /** Of an endpoint that has been established. @returns bytes taken, or a negative errno */
  write(bytes: Uint8Array): number {
    if (this.sending.isShut || this.state === 'gone' || this.state === 'finished') return -errno.EPIPE;
    if (bytes.length === 0) return 0;
    const count = this.sending.append(bytes);
    if (count === 0) return -errno.EAGAIN;
    this.#transmit();
    return count;
  }

  /** Returns bytes read, 0 at end of file, or a negative errno; a pending error once. */
  read(target: Uint8Array): number {
    if (this.receiving.length > 0 || target.length === 0) {
      const count = this.receiving.read(target);
      if (this.state === 'established' && this.receiving.hasNewsOfRoom) this.#send('ACK');
      return count;
    }
    if (this.receiving.isEnded) return 0;
    if (this.pendingError !== 0) return -this.takeError();
    return this.state === 'gone' ? 0 : -errno.EAGAIN;
  }

  takeError(): number {
    const error = this.pendingError;
    this.pendingError = 0;
    return error;
  }

  shutdownWrite(): void {
    this.sending.shut();
    if (this.state === 'established') this.#transmit();
  }

  /** Its owner lets go of it: what was written is still sent, what comes until then is thrown away. */
  close(): void {
    if (this.state === 'finished') return;
    if (this.state !== 'established') return this.vanish();
    this.#isOrphan = true;
    this.receiving.discard();
    this.sending.shut();
    this.#transmit();
    this.#finishIfDone();
  }

  /** Ends the connection, and notifies the peer. */
  reset(): void {
    if (this.state === 'gone') return;
    if (this.peer !== undefined) this.host.send(bareSegment('RST', this), this.peer);
    this.vanish();
  }

  /** Ends it without a word to the peer. An error is what the owner gets. */
  vanish(error = 0): void {
    if (this.state === 'gone') return;
    this.state = 'gone';
    this.pendingError = error;
    this.#retries.stop();
    this.host.remove(this);
    this.changed();
  }

  /** What comes from the network. */
  receive(segment: Segment<Endpoint>): void {
    if (segment.kind === 'RST') return this.receiveReset();
    if (segment.kind === 'SYN+ACK') return this.#receiveSynAck(segment);
    if (segment.from !== this.peer || this.state === 'gone' || this.state === 'syn-sent')
      return this.#refuse(segment);
    if (this.state === 'syn-received') {
      // Without a place to wait in, it stays half open: the client is asked again, and has to say it again.
      if (!this.admit()) return this.lost();
      this.#establish();
    }
    const isUnwanted = this.state === 'finished' || (this.#isOrphan && this.sending.isFlushed);
    if (isUnwanted && this.receiving.isFresh(segment)) return this.reset();
    this.receiving.accept(segment);
    const isBlocked = this.sending.isBlocked;
    const isProgress = this.sending.acknowledge(segment.acknowledged, segment.windowEnd);
    if (isProgress || isBlocked) this.#retries.succeed();
    if (segment.kind !== 'ACK') this.#send('ACK');
    this.#transmit();
    this.#finishIfDone();
    this.changed();
  }

  /** A segment was lost that only something from this endpoint can make good: sends again after a while. */
  lost(): void {
    if (this.state === 'gone' || this.state === 'finished') return;
    const again = (): void => this.#sendAgain();
    if (this.state === 'established') this.#retries.pause(DATA_PAUSE, this.host.queue.nowMicroseconds, again);
    else this.#retries.pause(HELLO_PAUSE, this.#helloAt, again);
  }

  /** A listener's endpoint: the client has asked again, so the first answer was lost. */
  answerAgain(): void {
    if (this.state === 'syn-received') this.#hello();
  }

  #hello(): void {
    this.#helloAt = this.host.queue.nowMicroseconds;
    if (this.state === 'syn-sent') this.host.sendSyn(this);
    else this.#send('SYN+ACK');
  }

  /** A reset has come. */
  receiveReset(): void {
    if (this.state === 'gone' || this.state === 'finished') return;
    if (this.state === 'syn-sent') return this.vanish(errno.ECONNREFUSED);
    // After the end of file, reads return no error, but writes fail.
    this.vanish(this.receiving.isEnded ? 0 : errno.ECONNRESET);
  }

  #receiveSynAck(segment: Segment<Endpoint>): void {
    if (this.state === 'syn-sent') {
      this.peer = segment.from;
      this.#establish();
      this.sending.acknowledge(segment.acknowledged, segment.windowEnd);
      this.changed();
    } else if (segment.from !== this.peer || this.state === 'gone') {
      return this.#refuse(segment);
    }
    this.#send('ACK');
  }

  #establish(): void {
    this.state = 'established';
    this.#retries.stop();
  }

  #refuse(segment: Segment<Endpoint>): void {
    if (segment.from !== undefined) this.host.send(bareSegment('RST', this), segment.from);
  }

  #send(kind: SegmentKind, piece?: Piece): void {
    const acknowledged = this.receiving.acknowledged;
    const windowEnd = this.receiving.advertise();
    const { position, bytes } = piece ?? bareSegment(kind, this);
    this.host.send({ kind, from: this, position, bytes, acknowledged, windowEnd }, this.peer as Endpoint);
  }

  #transmit(): void {
    for (;;) {
      const { random, buffers } = this.host;
      const whole = random.chance(0.75);
      const piece = this.sending.next(whole ? buffers.segmentBytes : random.integer(1, buffers.segmentBytes));
      if (piece === undefined) break;
      this.#send(piece.kind, piece);
    }
    // The peer's word that it has room may be lost, or the peer may be gone: it is asked now and then.
    if (this.sending.isBlocked) this.lost();
  }

  /** The time is over in which something should have come. */
  #sendAgain(): void {
    if (this.state === 'established') return this.#sendDataAgain();
    const isClient = this.state === 'syn-sent';
    if (this.#retries.count <= (isClient ? SYN_RETRIES : SYN_ACK_RETRIES)) return this.#hello();
    return this.vanish(errno.ETIMEDOUT);
  }

  #sendDataAgain(): void {
    if (!this.sending.isWaiting) {
      this.#retries.succeed();
      return this.#finishIfDone();
    }
    const most = this.#isOrphan ? ORPHAN_RETRIES : DATA_RETRIES;
    if (this.#retries.count > most) return this.vanish(errno.ETIMEDOUT);
    this.sending.rewind();
    this.#send('DATA', this.sending.probe());
    this.#transmit();
  }

  #finishIfDone(): void {
    if (this.state !== 'established' || !this.sending.isFinished) return;
    if (this.receiving.isEnded) {
      this.state = 'finished';
      this.#retries.stop();
      this.host.remove(this);
    } else if (this.#isOrphan && !this.#retries.isPending) {
      this.#retries.after(FIN_TIMEOUT, () => this.vanish());
    }
  }
}
