// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type {
  DataRequest,
  DiskDriverType,
  Done,
  Driver,
  DriverContext,
  OpenFlags,
  RangeRequest,
  ZeroesRequest,
} from '../../src/disks/index.js';

/** A call that a disk was asked for, to be answered by the test. */
export interface Call {
  readonly what: string;
  readonly sector: number;
  readonly sectors: number;
  readonly buffer?: Uint8Array;
  answer(result: number): void;
}

export interface ScriptedOptions {
  readonly name?: string;
  readonly sectors?: number;
  readonly canDiscard?: boolean;
  readonly canZero?: boolean;
  readonly copiesData?: boolean;
}

/**
 * Disks `scripted:ANYTHING` of 2048 sectors, whose every call waits in {@link calls} until the test answers it, unless
 * {@link answerAtOnce} has an answer.
 */
export class ScriptedDisks {
  readonly calls: Call[] = [];
  /** Everything that was called, in order, in words. */
  readonly log: string[] = [];
  /** The result of a call that is to be answered before it returns; undefined leaves it to the test. */
  answerAtOnce: (what: string) => number | undefined = () => undefined;
  sectors: number;
  /** What the last disk was made with. */
  context: DriverContext | undefined;
  readonly type: DiskDriverType;

  constructor(options: ScriptedOptions = {}) {
    const {
      name = 'scripted',
      sectors = 2048,
      canDiscard = false,
      canZero = false,
      copiesData = false,
    } = options;
    this.sectors = sectors;
    this.type = {
      name,
      create: (context, argument) => {
        this.context = context;
        const driver = this.#driver(argument, copiesData);
        if (canDiscard) driver.discard = (request: RangeRequest) => this.#call('discard', request);
        if (canZero) driver.writeZeroes = (request: ZeroesRequest) => this.#call('zeroes', request);
        return driver;
      },
    };
  }

  /** Takes the oldest call, which must be of this kind, from those that wait. */
  take(what: string): Call {
    const call = this.calls.shift();
    if (call?.what !== what) throw new Error(`${what} was expected, and ${call?.what ?? 'nothing'} waits`);
    return call;
  }

  /** Returns the oldest call, which must be of this kind. */
  answer(what: string, result = 0): void {
    this.take(what).answer(result);
  }

  #call(what: string, range: { sector: number; sectors: number; buffer?: Uint8Array; complete: Done }): void {
    this.log.push(range.sectors > 0 ? `${what} ${range.sector}+${range.sectors}` : what);
    const now = this.answerAtOnce(what);
    if (now !== undefined) {
      range.complete(now);
      return;
    }
    const { sector, sectors, buffer } = range;
    this.calls.push({
      what,
      sector,
      sectors,
      ...(buffer && { buffer }),
      answer: (result) => range.complete(result),
    });
  }

  #driver(argument: string, copiesData: boolean): Driver {
    const plain = (what: string, complete: Done): void =>
      this.#call(what, { sector: 0, sectors: 0, complete });
    return {
      open: (flags: OpenFlags, done: Done) => {
        plain(`open ${argument}${flags.readOnly ? ' read-only' : ''}${flags.shared ? ' shared' : ''}`, done);
      },
      info: () => ({ sectors: this.sectors, sectorSize: 512, info: 0, ...(copiesData && { copiesData }) }),
      preClose: () => void this.log.push('preClose'),
      close: (done: Done) => plain('close', done),
      queueRead: (request: DataRequest) => this.#call('read', request),
      queueWrite: (request: DataRequest) => this.#call('write', request),
      flush: (done: Done) => plain('flush', done),
      describe: () => `scripted ${argument}`,
    };
  }
}
