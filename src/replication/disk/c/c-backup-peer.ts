// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { madeTogether } from '../connection-resources.js';
import type { BackupPeer, BackupPeerEvents, CConnection } from '../sessions.js';
import { Timer } from '../timer.js';
import { COMMIT_MESSAGE, DONE, TAG_BYTES, writeMessages } from './c-message.js';
import { COutbox } from './c-outbox.js';
import { StallWatch } from './stall-watch.js';

/** A commit that is the heartbeat's: nobody waits for its reply. */
const HEARTBEAT = 0;

/**
 * The primary's side of a connection to a C backup: the n-th `done` is the reply to the n-th `creq`.
 *
 * A stream that takes nothing for the message time, and half an answer as long, end the connection; a backup that is only
 * slow to answer is waited for without limit, as in C.
 */
export class CBackupPeer implements BackupPeer {
  readonly kind = 'c';
  readonly sync = undefined;
  readonly canAbort = false;
  readonly #connection: CConnection;
  readonly #events: BackupPeerEvents;
  readonly #outbox: COutbox;
  readonly #sending: StallWatch;
  readonly #receiving: StallWatch;
  readonly #heartbeat: Timer;
  /** The epochs of the commits that are not answered. */
  readonly #commits: number[] = [];
  /** Something was written since the last commit: a heartbeat would commit it. */
  #isWriting = false;
  readonly #answer = Buffer.alloc(TAG_BYTES);
  #answerBytes = 0;
  #beats = 0;
  #isOver = false;

  constructor(connection: CConnection, events: BackupPeerEvents) {
    const { host, stream, options } = connection;
    this.#connection = connection;
    this.#events = events;
    this.#outbox = new COutbox(stream);
    const seconds = options.messageSeconds;
    const sending = (): StallWatch =>
      new StallWatch({
        host,
        seconds,
        isWaiting: () => this.#outbox.isSending,
        progress: () => stream.sentBytes,
        onStall: () => this.#lose(`the backup has taken nothing for ${seconds} s`),
      });
    const receiving = (): StallWatch =>
      new StallWatch({
        host,
        seconds,
        isWaiting: () => this.#answerBytes > 0,
        progress: () => stream.receivedBytes,
        onStall: () => this.#lose(`the backup's answer stopped after ${this.#answerBytes} bytes`),
      });
    [this.#sending, this.#receiving, this.#heartbeat] = madeTogether<[StallWatch, StallWatch, Timer]>(
      sending,
      receiving,
      () => new Timer(host, () => this.#beat()),
    );
    this.#heartbeat.set(options.peerTimeoutSeconds);
    stream.events = {
      bytes: (chunk) => this.#bytes(chunk),
      drained: () => this.#drained(),
      ended: (reason) => this.#lose(reason),
    };
  }

  /** Hears the backup from now on. */
  start(): void {
    const { stream, rest } = this.#connection;
    this.#bytes(rest);
    stream.resume();
  }

  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }
  get sentBytes(): number {
    return this.#connection.stream.sentBytes;
  }

  write(sector: number, bytes: Uint8Array): void {
    this.#isWriting = true;
    this.#outbox.send(writeMessages(sector, bytes.length / 512, bytes));
    this.#sending.check();
  }

  zero(sector: number, sectors: number): void {
    this.#isWriting = true;
    this.#outbox.zero(sector, sectors);
    this.#sending.check();
  }

  commit(epoch: number): () => void {
    const letGo = this.#outbox.gate();
    this.#commit(epoch);
    return () => {
      letGo();
      this.#sending.check();
    };
  }

  /** There is no message for it. @throws Error always: the connection has to be closed instead */
  abort(): void {
    throw new Error('a C backup cannot drop the open checkpoint');
  }

  /** Idempotent; what waits for a time, or for the stream, does nothing from then on. */
  close(): void {
    this.#isOver = true;
    this.#sending.close();
    this.#receiving.close();
    this.#heartbeat.close();
    this.#connection.stream.close();
  }

  #commit(epoch: number): void {
    this.#commits.push(epoch);
    this.#isWriting = false;
    this.#outbox.send(COMMIT_MESSAGE);
  }

  /** An empty commit is the only thing that a C backup replies to. */
  #beat(): void {
    const { stream, options } = this.#connection;
    const isSilent = stream.receivedBytes === this.#beats;
    this.#beats = stream.receivedBytes;
    if (isSilent && !this.#isWriting && this.#commits.length === 0 && this.#outbox.queuedBytes === 0) {
      this.#commit(HEARTBEAT);
    }
    this.#heartbeat.set(options.peerTimeoutSeconds);
  }

  #drained(): void {
    this.#outbox.pump();
    this.#events.drained();
  }

  #bytes(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (this.#isOver) return;
      this.#answer[this.#answerBytes] = byte;
      this.#answerBytes += 1;
      if (this.#answerBytes < TAG_BYTES) continue;
      this.#answerBytes = 0;
      if (this.#answer.readUInt32LE() === DONE) this.#done();
      else
        this.#lose(
          `the backup has answered ${JSON.stringify(this.#answer.toString('latin1'))}, expected done`,
        );
    }
    this.#receiving.check();
  }

  #done(): void {
    const epoch = this.#commits.shift();
    if (epoch === undefined) this.#events.unsolicited();
    else if (epoch !== HEARTBEAT) this.#events.acked(epoch);
  }

  #lose(reason: string): void {
    this.close();
    this.#events.lost(reason);
  }
}
