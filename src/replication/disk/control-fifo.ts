// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../../posix/errno.js';
import type { Descriptor } from '../../posix/posix.js';
import { type EventId, POLL_READ_FD, POLL_WRITE_FD } from '../../scheduler/event.js';
import { LOG_WARNING, type Logger } from '../../server/logger.js';
import type { DiskReplication } from './disk-replication.js';
import type { TimerHost } from './timer.js';

/** A command is one read of at most this many bytes, as in C. */
const COMMAND_BYTES = 79;
/** How many of them are compared. */
const FLUSH = 'flush';
const ANSWER_BYTES = 4;
/** Returns that wait while nobody reads any; what comes then is dropped, which is logged. */
const MAX_WAITING = 4096;

export interface ControlFifoParts extends TimerHost {
  readonly logger: Logger;
  readonly replication: Pick<DiskReplication, 'checkpoint' | 'onEvent'>;
  /** Commands come from here, replies go there; both are closed with it. */
  readonly commands: Descriptor;
  readonly answers: Descriptor;
}

/**
 * Checkpoint control as in the C driver: `flush` commits what was written, and is answered `done` once the backup has
 * it; anything else, and a flush that cannot be, is answered `fail`. Unlike in C every flush is answered.
 */
export class ControlFifo {
  readonly #parts: ControlFifoParts;
  readonly #readEvent: EventId;
  #writeEvent: EventId = -1;
  readonly #stopListening: () => void;
  readonly #buffer = Buffer.alloc(COMMAND_BYTES);
  #waiting = Buffer.alloc(0);
  #isOver = false;

  /** @throws Error when there is no event left */
  constructor(parts: ControlFifoParts) {
    this.#parts = parts;
    this.#readEvent = parts.registrar.registerEvent(POLL_READ_FD, parts.commands, 0, () => this.#read());
    if (this.#readEvent < 0) throw new Error(`cannot read commands: ${errnoCode(this.#readEvent)}`);
    // A `done` that was not asked for is passed on, as in C.
    this.#stopListening = parts.replication.onEvent(({ kind }) => {
      if (kind === 'unsolicited') this.#answer('done');
    });
  }

  /** Idempotent. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { registrar, posix, commands, answers } = this.#parts;
    this.#stopListening();
    registrar.unregisterEvent(this.#readEvent);
    if (this.#writeEvent >= 0) registrar.unregisterEvent(this.#writeEvent);
    posix.close(commands);
    posix.close(answers);
  }

  #read(): void {
    const { registrar, posix, commands, logger, replication } = this.#parts;
    const count = posix.read(commands, this.#buffer);
    if (count === -errno.EAGAIN) return;
    if (count <= 0) {
      const why = count === 0 ? 'end of file' : errnoCode(count);
      logger.log(LOG_WARNING, `replication: no more commands can be read: ${why}`);
      registrar.unregisterEvent(this.#readEvent);
      return;
    }
    const command = this.#buffer.toString('latin1', 0, Math.min(count, FLUSH.length));
    if (command !== FLUSH) this.#answer('fail');
    else replication.checkpoint((result) => this.#answer(result >= 0 ? 'done' : 'fail'));
  }

  #answer(answer: 'done' | 'fail'): void {
    if (this.#isOver) return;
    if (this.#waiting.length >= MAX_WAITING * ANSWER_BYTES) {
      this.#parts.logger.log(LOG_WARNING, `replication: no reader for replies: dropped "${answer}"`);
      return;
    }
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(answer, 'latin1')]);
    this.#write();
  }

  #write(): void {
    const { registrar, posix, answers, logger } = this.#parts;
    while (this.#waiting.length !== 0) {
      const taken = posix.write(answers, this.#waiting.subarray(0, ANSWER_BYTES));
      if (taken === -errno.EAGAIN) break;
      if (taken < 0) {
        logger.log(LOG_WARNING, `replication: cannot write replies: ${errnoCode(taken)}`);
        this.#waiting = Buffer.alloc(0);
        break;
      }
      this.#waiting = this.#waiting.subarray(taken);
    }
    const isNeeded = this.#waiting.length !== 0;
    if (isNeeded && this.#writeEvent < 0) {
      this.#writeEvent = registrar.registerEvent(POLL_WRITE_FD, answers, 0, () => this.#write());
    } else if (!isNeeded && this.#writeEvent >= 0) {
      registrar.unregisterEvent(this.#writeEvent);
      this.#writeEvent = -1;
    }
  }
}
