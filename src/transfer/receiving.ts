// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode, inWords } from '../posix/errno.js';
import type { NodePosix } from '../posix/index.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import type { Completions } from '../disks/index.js';
import { ImageReader } from './image-reader.js';
import { MinRate } from './min-rate.js';
import type { Meter } from './meter.js';
import type { Copy, Output } from './output.js';
import { idleTimeout, Pump, type PumpFault } from './pump.js';
import { Refusal } from './refusal.js';
import { callFailed, TransferError } from './transfer-error.js';
import {
  type Digest,
  GREETING,
  GREETING_TIMEOUT_SECONDS,
  QUIET_SECONDS,
  type Verdict,
  verdictLine,
} from './wire.js';

const NOT_OURS =
  'the primary is no tapdisk-ts, or sends raw, as it does with --raw or without a greeting from here for ' +
  `${GREETING_TIMEOUT_SECONDS} s; raw is not accepted here unless --raw is given`;
/** Errors that an endless image causes. The next one may not. */
const ofSize: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** How a backup's conversation with a primary has ended. */
export type ReceivingOutcome =
  /** `checked`: the primary has said what it sent, and it is that. Else an end of file was taken for the image's end. */
  | ({ readonly kind: 'complete'; readonly checked: boolean } & Digest)
  /** Not a byte came. */
  | { readonly kind: 'nothing' }
  | ReceivingFailure;

export interface ReceivingFailure {
  /**
   * broken: by the primary's fault, or the network's.
   * failed: by the output's fault.
   */
  readonly kind: 'broken' | 'failed';
  /** Of failed: another image may do, for there was no room for this one. */
  readonly isOfSize?: boolean;
  readonly code: string;
  readonly message: string;
}

export interface ReceivingOptions {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  readonly completions: Completions;
  /** The established connection; it stays open. */
  readonly fd: number;
  readonly output: Output;
  readonly meter: Meter;
  /** Whether another program than tapdisk-ts may send an image. */
  readonly acceptsRaw: boolean;
  /** Give up when the primary sends nothing for this long; 0: never. */
  readonly idleSeconds: number;
  /** A larger image is refused; any size is accepted unless given. */
  readonly maxBytes?: number | undefined;
  /** Give up a primary that sends fewer bytes a second (see {@link MinRate}); 0, none, unless given. */
  readonly minRate?: number | undefined;
  /** Called once. The connection has no event of the conversation any more, and the output is closed. */
  readonly onEnd: (outcome: ReceivingOutcome) => void;
}

/**
 * A backup's conversation on an established connection.
 *
 *     waiting --first byte--> opening --output open--> receiving --end of file--> storing --on the disk--> ended
 *        |                       |                         |                        |
 *        |                       +------ output fails -----+------------------------+--> refusing --> ended
 *        +--end of file, reset--> ended                    +--reset, idle, not the end--> ended
 *
 * While waiting, a primary that says nothing is greeted. For refusing see {@link Refusal}.
 */
export class Receiving {
  readonly #options: ReceivingOptions;
  readonly #image: ImageReader;
  #state: 'waiting' | 'opening' | 'receiving' | 'storing' | 'refusing' | 'ended' = 'waiting';
  readonly #event: AwaitedEvent;
  readonly #minRate: MinRate;
  #pump: Pump | undefined;
  #copy: Copy | undefined;
  #refusal: Refusal | undefined;
  #outputFd = -1;
  /** What the output does at the moment, or did last. */
  #work: Promise<void> | undefined;

  constructor(options: ReceivingOptions) {
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar);
    const { registrar, posix, meter, acceptsRaw, maxBytes, minRate = 0 } = options;
    this.#image = new ImageReader(meter, { acceptsRaw, ...(maxBytes !== undefined && { maxBytes }) });
    this.#minRate = new MinRate({
      registrar,
      clock: posix.clock,
      rate: minRate,
      bytes: () => meter.bytes,
      onEnd: (code, why) => this.#broken(code, why),
    });
  }

  get phase(): string {
    return this.#state;
  }

  start(): void {
    const isWatched = this.#watch(idleTimeout(this.#options.idleSeconds), (fired) => {
      if (fired === TIMEOUT) this.#onFault({ where: 'idle', errno: -errno.ETIMEDOUT });
      else this.#open();
    });
    // Otherwise it has ended, and must not wait for anything.
    if (!isWatched) return undefined;
    const rateWatched = this.#minRate.start();
    if (rateWatched < 0)
      return this.#broken(errnoCode(rateWatched), 'there is no event left to watch its rate');
    void this.#greetIfQuiet();
    return undefined;
  }

  /** The primary's host has not responded for this long. While the output has work to do, that is waited for. */
  onSilence(seconds: number): void {
    if (this.#state !== 'waiting' && this.#state !== 'receiving') return;
    this.#broken('ETIMEDOUT', `the primary's host has answered nothing for ${seconds} s`);
  }

  /** Ends it without notifying anyone. Resolves when the copy is gone, or committed if that was under way. */
  async stop(): Promise<void> {
    this.#state = 'ended';
    this.#letGo();
    this.#refusal?.stop();
    await this.#work;
    await this.#copy?.abandon();
  }

  /** The scheduler counts whole seconds; a select of one's own counts fractions too. */
  async #greetIfQuiet(): Promise<void> {
    const { posix, fd, completions } = this.#options;
    const ready = await posix.select({ read: [fd] }, QUIET_SECONDS);
    const isQuiet = typeof ready !== 'number' && ready.read.length === 0;
    completions.post(() => {
      if (isQuiet && this.#state === 'waiting') posix.write(fd, GREETING);
    });
  }

  #open(): void {
    this.#event.clear();
    this.#state = 'opening';
    this.#minRate.pause();
    this.#after(this.#begin(), () => this.#receive());
  }

  async #begin(): Promise<void> {
    this.#copy = await this.#options.output.begin();
  }

  #receive(): void {
    const { posix, registrar, fd, idleSeconds } = this.#options;
    this.#outputFd = this.#copy === undefined ? -errno.EBADF : posix.adopt(this.#copy.stream);
    if (this.#outputFd < 0) return this.#outputFailed(this.#outputFd);
    this.#state = 'receiving';
    this.#pump = new Pump({
      registrar,
      posix,
      source: fd,
      sink: this.#outputFd,
      filter: this.#image,
      idle: { where: 'source', seconds: idleSeconds },
      onTurn: (end) => (end === 'source' ? this.#minRate.resume() : this.#minRate.pause()),
      onEnd: () => this.#store(),
      onFault: (fault) => this.#onFault(fault),
    });
    return this.#pump.start();
  }

  #store(): void {
    const { ending } = this.#image;
    if (ending?.kind === 'nothing') return this.#finish(ending);
    if (ending?.kind === 'broken') return this.#broken('EPIPE', ending.reason);
    const copy = this.#release();
    if (ending === undefined || copy === undefined) throw new Error('an end without an ending');
    this.#state = 'storing';
    return this.#after(copy.commit(), () => {
      this.#tell({ kind: 'ok', bytes: ending.bytes, sha256: ending.sha256 });
      this.#finish(ending);
    });
  }

  #onFault({ where, errno: error }: PumpFault): void {
    const { idleSeconds } = this.#options;
    const code = errnoCode(error);
    if (where === 'filter') {
      if (this.#image.refused !== 'size') return this.#refuse({ kind: 'broken', code, message: NOT_OURS });
      const message = `the image has more than ${this.#options.maxBytes} bytes, which is the most that is accepted here`;
      return this.#refuse({ kind: 'broken', code: 'EFBIG', message });
    }
    if (where === 'idle') return this.#broken(code, `the primary sent nothing for ${idleSeconds} s`);
    if (where === 'source') {
      return this.#broken(code, `the connection to the primary broke: ${inWords(-error)}`);
    }
    return this.#outputFailed(error);
  }

  #outputFailed(error: number): void {
    const what = `cannot write ${this.#options.output.name}`;
    // The stream knows why; its descriptor only that nothing can be written any more.
    const cause = this.#copy?.stream.errored;
    if (cause) return this.#failed(callFailed(what, cause));
    return this.#failed(new TransferError(errnoCode(error), `${what}: ${inWords(-error)}`));
  }

  #failed({ code, message }: TransferError): void {
    this.#refuse({ kind: 'failed', code, message, isOfSize: ofSize.has(code) });
  }

  /** Gives the primary the reason, and time to hear it, and ends. */
  #refuse(outcome: ReceivingFailure): void {
    const { registrar, posix, fd } = this.#options;
    this.#state = 'refusing';
    this.#tell({ kind: 'error', code: outcome.code, message: outcome.message });
    this.#abandonThen(() => {
      this.#refusal = new Refusal({ registrar, posix, fd, onEnd: () => this.#finish(outcome) });
    });
  }

  #broken(code: string, message: string): void {
    this.#tell({ kind: 'error', code, message });
    this.#finish({ kind: 'broken', code, message });
  }

  /** It does not matter if the peer is gone. */
  #tell(verdict: Verdict): void {
    this.#options.posix.write(this.#options.fd, verdictLine(verdict));
  }

  #finish(outcome: ReceivingOutcome): void {
    this.#abandonThen(() => {
      this.#state = 'ended';
      this.#options.onEnd(outcome);
    });
  }

  /** Drops the copy, if there is one that is not committed, before it goes on. */
  #abandonThen(next: () => void): void {
    const copy = this.#release();
    if (copy === undefined) next();
    else this.#after(copy.abandon(), next);
  }

  /** Takes all events away, and the output from the descriptor table. */
  #letGo(): void {
    this.#event.clear();
    this.#minRate[Symbol.dispose]();
    this.#pump?.stop();
    this.#options.posix.release(this.#outputFd);
    this.#outputFd = -1;
  }

  /** Lets go, and returns the copy, which is the caller's from now on. */
  #release(): Copy | undefined {
    this.#letGo();
    const copy = this.#copy;
    this.#copy = undefined;
    return copy;
  }

  /** Goes on, back on the scheduler, when the output has done its work elsewhere. */
  #after(work: Promise<void>, next: () => void): void {
    this.#work = this.#goOnAfter(work, next);
  }

  async #goOnAfter(work: Promise<void>, next: () => void): Promise<void> {
    const failure = await this.#outcomeOf(work);
    this.#options.completions.post(() => {
      if (this.#state === 'ended') return;
      if (failure === undefined) next();
      else this.#failed(failure);
    });
  }

  async #outcomeOf(work: Promise<void>): Promise<TransferError | undefined> {
    try {
      await work;
      return undefined;
    } catch (error) {
      return callFailed(`cannot write ${this.#options.output.name}`, error);
    }
  }

  /** Without an event it ends: then false. */
  #watch(seconds: number, callback: (fired: number) => void): boolean {
    const result = this.#event.setWithin(POLL_READ_FD, this.#options.fd, seconds, callback);
    if (result < 0) this.#broken(errnoCode(result), `cannot watch the connection: ${inWords(-result)}`);
    return result >= 0;
  }
}
