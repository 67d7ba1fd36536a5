// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../../../posix/errno.js';
import { madeTogether } from '../connection-resources.js';
import type { CConnection, CPrimaryEnd, CPrimaryReceiver, PrimarySession } from '../sessions.js';
import { ProtocolError } from '../wire/frame.js';
import { DONE_MESSAGE } from './c-message.js';
import { CReader } from './c-reader.js';
import { StallWatch } from './stall-watch.js';

/** Commits that may be on their way to stable storage before reading stops. */
const MAX_COMMITTING = 256;
/** Returns that may wait to be sent before reading stops, in bytes. */
const MAX_ANSWER_BYTES = 4096;

/** A commit that is not on stable storage, and how many `creq` it answers: empty ones that follow need none of their own. */
interface Commit {
  answers: number;
}

/**
 * The backup's side of a connection from a C primary.
 *
 * What is written is taken as long as there is room, so that the primary, which gives up when it cannot send for a second,
 * never waits for the disk. A message that stands still in its middle for the message time ends the connection.
 */
export class CPrimarySession implements PrimarySession {
  readonly #connection: CConnection;
  readonly #receiver: CPrimaryReceiver;
  readonly #lost: (end: CPrimaryEnd) => void;
  readonly #reader: CReader;
  readonly #receiving: StallWatch;
  readonly #sending: StallWatch;
  readonly #commits: Commit[] = [];
  /** Something was written since the last commit, or none was made on this connection. */
  #isDirty = true;
  #waitsForRoom = false;
  #isOver = false;

  constructor(connection: CConnection, receiver: CPrimaryReceiver, lost: (end: CPrimaryEnd) => void) {
    const { host, stream, sectors, options } = connection;
    this.#connection = connection;
    this.#receiver = receiver;
    this.#lost = lost;
    this.#reader = new CReader({
      sectors,
      write: (sector, bytes) => this.#write(sector, bytes),
      commit: () => this.#commit(),
      isPaused: () => this.#isPaused,
    });
    const seconds = options.messageSeconds;
    const receiving = (): StallWatch =>
      new StallWatch({
        host,
        seconds,
        isWaiting: () => this.#reader.isMidMessage && !this.#isPaused,
        progress: () => stream.receivedBytes,
        onStall: () => this.#lose(`the primary has sent nothing for ${seconds} s in the middle of a message`),
      });
    const sending = (): StallWatch =>
      new StallWatch({
        host,
        seconds,
        isWaiting: () => stream.queuedBytes > 0,
        progress: () => stream.sentBytes,
        onStall: () => this.#lose(`the primary has taken nothing for ${seconds} s`),
      });
    [this.#receiving, this.#sending] = madeTogether<[StallWatch, StallWatch]>(receiving, sending);
    stream.events = {
      bytes: (chunk) => this.#push(() => this.#reader.push(chunk)),
      drained: () => this.#goOn(),
      ended: (reason) => this.#lose(reason),
    };
  }

  /** Hears the primary from now on. */
  start(): void {
    this.#push(() => this.#reader.push(this.#connection.rest));
    if (!this.#isPaused) this.#connection.stream.resume();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiving.close();
    this.#sending.close();
    this.#connection.stream.close();
    this.#receiver.abort();
  }

  get #isPaused(): boolean {
    return (
      this.#isOver ||
      this.#waitsForRoom ||
      this.#commits.length >= MAX_COMMITTING ||
      this.#connection.stream.queuedBytes >= MAX_ANSWER_BYTES
    );
  }

  #push(take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#lose(error.message, true);
    }
    if (this.#isPaused) this.#connection.stream.pause();
    this.#receiving.check();
  }

  /** Reads again if nothing is in the way any more. */
  #goOn(): void {
    this.#push(() => this.#reader.resume());
    if (!this.#isPaused) this.#connection.stream.resume();
  }

  #write(sector: number, bytes: Uint8Array): void {
    this.#isDirty = true;
    this.#receiver.write(sector, bytes);
    this.#checkRoom();
  }

  #checkRoom(): void {
    if (this.#isOver || this.#receiver.hasRoom) return;
    if (this.#receiver.isFull) {
      this.#lose('the open checkpoint is larger than the journal');
      return;
    }
    this.#waitsForRoom = true;
    this.#receiver.onRoom(() => {
      this.#waitsForRoom = false;
      this.#checkRoom();
      this.#goOn();
    });
  }

  #commit(): void {
    const isReceived = this.#connection.options.done === 'received';
    if (isReceived) this.#answer(1);
    if (!this.#isDirty) {
      const last = this.#commits.at(-1);
      if (isReceived) return;
      if (last === undefined) this.#answer(1);
      else last.answers += 1;
      return;
    }
    this.#isDirty = false;
    const commit: Commit = { answers: isReceived ? 0 : 1 };
    this.#commits.push(commit);
    this.#receiver.commit((result) => {
      this.#commits.splice(this.#commits.indexOf(commit), 1);
      if (result < 0) {
        this.#lose(`the checkpoint cannot be committed: ${errnoCode(result)}`);
      } else {
        this.#answer(commit.answers);
        this.#goOn();
      }
    });
    this.#checkRoom();
  }

  #answer(times: number): void {
    const { stream } = this.#connection;
    for (let left = times; left > 0; left--) stream.send(DONE_MESSAGE);
    this.#sending.check();
  }

  #lose(reason: string, isRefused = false): void {
    if (this.#isOver) return;
    const { hasSpoken, isAfterTag } = this.#reader;
    this.close();
    this.#lost({ reason, hasSpoken, isInMessage: isRefused || isAfterTag });
  }
}
