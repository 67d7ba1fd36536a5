// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode, inWords } from '../posix/errno.js';
import type { NodePosix } from '../posix/index.js';
import { SHUT_WR } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { BackupAnswer } from './backup-answer.js';
import { ImageWriter } from './image-writer.js';
import type { Input } from './input.js';
import type { Meter } from './meter.js';
import { idleTimeout, Pump, type PumpFault } from './pump.js';
import {
  type Digest,
  GREETING,
  GREETING_TIMEOUT_SECONDS,
  MAX_VERDICT_BYTES,
  parseVerdict,
  type Verdict,
} from './wire.js';

/** How much of what the backup says is read at once. */
const ANSWER_BUFFER_BYTES = 16 * 1024;
/** What a backup says in the place of its greeting begins so. */
const REFUSAL = Buffer.from('error ');

/** How a primary's conversation with a backup has ended. */
export type SendingOutcome =
  /** `confirmed`: the backup says that it has the same image. Without, it is a program that does not say anything. */
  | ({ readonly kind: 'complete'; readonly confirmed: boolean } & Digest)
  /** The connection ended before anything was sent. `reason`: what the backup said, such as that it is busy. */
  | { readonly kind: 'turned-away'; readonly reason: string | undefined }
  /** The backup is a tapdisk-ts that did not greet in time, so it got the image alone, which it refuses. */
  | { readonly kind: 'late' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface SendingOptions {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  /** The established connection; it stays open. */
  readonly fd: number;
  readonly input: Input;
  readonly meter: Meter;
  /** Send the image alone, without waiting to be greeted. */
  readonly raw: boolean;
  /** Give up when the backup takes nothing, or says nothing in the end, for this long; 0: never. */
  readonly idleSeconds: number;
  /** Called once. Neither descriptor has an event of the conversation any more; the input's is closed. */
  readonly onEnd: (outcome: SendingOutcome) => void;
}

/**
 * A primary's conversation on an established connection.
 *
 *     greeting --greeted, or not a tapdisk-ts--> sending --end of input--> awaiting --verdict, end of file--> ended
 *     greeting --end of file, reset--> ended (rejected: the input is untouched)
 *     sending, awaiting --refused, since it had not greeted in time--> ended (late)
 *     sending, awaiting --a verdict of error, a fault--> ended
 */
export class Sending {
  readonly #options: SendingOptions;
  #state: 'greeting' | 'sending' | 'awaiting' | 'ended' = 'greeting';
  readonly #event: AwaitedEvent;
  #pump: Pump | undefined;
  #image: ImageWriter | undefined;
  #inputFd = -1;
  /** Whether the backup is known to be a tapdisk-ts: then it owes a verdict. */
  #greeted = false;
  /** The backup had sent nothing when its time to greet was over. */
  #isLate = false;
  readonly #answer = new BackupAnswer();
  readonly #buffer = Buffer.alloc(ANSWER_BUFFER_BYTES);
  #greetingBytes = 0;

  constructor(options: SendingOptions) {
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar);
  }

  get phase(): string {
    return this.#state;
  }

  start(): void {
    if (this.#options.raw) return this.#send();
    return this.#watch(GREETING_TIMEOUT_SECONDS, (fired) => {
      if (fired !== TIMEOUT) return this.#listen();
      this.#isLate = this.#greetingBytes === 0;
      return this.#send();
    });
  }

  /** Lets go of the descriptors; nobody is notified. Idempotent. */
  stop(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#event.clear();
    this.#pump?.stop();
    if (this.#inputFd >= 0) this.#options.posix.close(this.#inputFd);
  }

  /** The backup's host has not responded for this long. */
  onSilence(seconds: number): void {
    this.#fail(-errno.ETIMEDOUT, `the backup's host has answered nothing for ${seconds} s`);
  }

  #listen(): void {
    const { posix, fd } = this.#options;
    // Not more than the greeting: what comes after it is another's to read. A refusal has nothing after it.
    const isRefusal = this.#greetingBytes > 0 && startsAlike(this.#said, REFUSAL);
    const most = isRefusal ? MAX_VERDICT_BYTES : GREETING.length;
    const count = posix.read(fd, this.#buffer.subarray(this.#greetingBytes, most));
    if (count === -errno.EAGAIN) return;
    if (count <= 0) return this.#end({ kind: 'turned-away', reason: undefined });
    this.#greetingBytes += count;
    const said = this.#said;
    if (startsAlike(said, REFUSAL)) return this.#hearRefusal(said);
    this.#greeted = said.equals(GREETING);
    if (this.#greeted || !startsAlike(said, GREETING)) this.#send();
  }

  get #said(): Buffer {
    return this.#buffer.subarray(0, this.#greetingBytes);
  }

  #hearRefusal(said: Buffer): void {
    const end = said.indexOf('\n');
    // A line that is longer than any verdict is none: it is another program that says this.
    if (end < 0 && said.length < MAX_VERDICT_BYTES) return;
    const verdict = parseVerdict(said.toString('latin1', 0, end));
    if (verdict?.kind === 'error') this.#end({ kind: 'turned-away', reason: verdict.message });
    else this.#send();
  }

  #send(): void {
    const { registrar, posix, fd, input, meter, idleSeconds } = this.#options;
    this.#state = 'sending';
    this.#inputFd = posix.adopt(input.stream);
    if (this.#inputFd < 0) return this.#fail(this.#inputFd, `cannot read ${input.name}`);
    this.#image = new ImageWriter(meter, { raw: !this.#greeted, size: input.size });
    this.#pump = new Pump({
      registrar,
      posix,
      source: this.#inputFd,
      sink: fd,
      filter: this.#image,
      idle: { where: 'sink', seconds: idleSeconds },
      onEnd: () => this.#await(),
      onFault: (fault) => this.#onFault(fault),
    });
    // A backup whose disk is full says so before the end.
    this.#watch(0, () => this.#hear());
    this.#pump.start();
  }

  #await(): void {
    const { posix, fd, idleSeconds } = this.#options;
    if (this.#image?.digest === undefined) return this.#shrunk();
    this.#state = 'awaiting';
    const shut = posix.shutdown(fd, SHUT_WR);
    if (shut < 0) return this.#onFault({ where: 'sink', errno: shut });
    return this.#watch(idleTimeout(idleSeconds), (fired) => {
      if (fired !== TIMEOUT) return this.#hear();
      // Another program has no verdict: its end of the connection is what is waited for.
      const what = this.#greeted
        ? 'no verdict of the backup'
        : 'the other program did not close the connection';
      return this.#fail(-errno.ETIMEDOUT, `${what} in ${idleSeconds} s`);
    });
  }

  /** The connection is left without an end, and is reset: a part must not pass for the whole. */
  #shrunk(): void {
    const { input, meter } = this.#options;
    const message = `${input.name} ended after ${meter.bytes} bytes, but had ${input.size} when it was opened: it was cut short meanwhile`;
    this.#end({ kind: 'failed', code: 'EIO', message });
  }

  #hear(): void {
    const count = this.#read();
    if (count === -errno.EAGAIN) return;
    if (this.#answer.verdict !== undefined) return this.#judge(this.#answer.verdict);
    // It may go on sending for ever, without the verdict that it owes.
    if (this.#greeted && this.#answer.isOther)
      return this.#fail(-errno.EPROTO, "the backup's reply is no verdict");
    if (count > 0) return;
    if (count < 0) return this.#fail(count, 'the connection to the backup broke');
    if (this.#greeted) return this.#fail(-errno.EPIPE, 'the backup closed the connection without a verdict');
    // Another program may be done with sending before we are: it has nothing to say.
    if (this.#state === 'awaiting') return this.#complete(false);
    return this.#event.clear();
  }

  #judge(verdict: Verdict): void {
    if (verdict.kind === 'error') {
      // Its process, or its host, was stopped meanwhile: neither side broke the protocol.
      if (this.#isLate && verdict.code === 'EPROTO') return this.#end({ kind: 'late' });
      const message = `the backup failed: ${verdict.message}`;
      return this.#end({ kind: 'failed', code: verdict.code, message });
    }
    const sent = this.#image?.digest;
    if (sent === undefined) return this.#fail(-errno.EPROTO, 'the backup gave its verdict before the end');
    if (verdict.bytes !== sent.bytes || verdict.sha256 !== sent.sha256) {
      const message = `the backup has another image: ${verdict.bytes} bytes, SHA-256 ${verdict.sha256}`;
      return this.#end({ kind: 'failed', code: 'EBADMSG', message });
    }
    return this.#complete(true);
  }

  #onFault({ where, errno: error }: PumpFault): void {
    const { input, idleSeconds, meter } = this.#options;
    if (where === 'source') return this.#fail(error, `cannot read ${input.name}`);
    if (where === 'idle') return this.#fail(error, `the backup took nothing for ${idleSeconds} s`);
    // The reason may have come just before the connection broke.
    while (this.#answer.verdict === undefined && this.#read() > 0);
    const verdict = this.#answer.verdict;
    if (verdict?.kind === 'error') return this.#judge(verdict);
    return this.#fail(error, `the connection to the backup broke after ${meter.bytes} bytes`);
  }

  #read(): number {
    const count = this.#options.posix.read(this.#options.fd, this.#buffer);
    if (count > 0) this.#answer.take(this.#buffer.subarray(0, count));
    return count;
  }

  #complete(confirmed: boolean): void {
    const digest = this.#image?.digest;
    if (digest === undefined) throw new Error('complete before the end of the image');
    this.#end({ kind: 'complete', confirmed, ...digest });
  }

  #fail(error: number, what: string): void {
    this.#end({ kind: 'failed', code: errnoCode(error), message: `${what}: ${inWords(-error)}` });
  }

  #end(outcome: SendingOutcome): void {
    this.stop();
    this.#options.onEnd(outcome);
  }

  #watch(seconds: number, callback: (fired: number) => void): void {
    const result = this.#event.setWithin(POLL_READ_FD, this.#options.fd, seconds, callback);
    if (result < 0) this.#fail(result, 'cannot watch the connection');
  }
}

/** Whether one begins with the other. */
function startsAlike(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  return Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0;
}
