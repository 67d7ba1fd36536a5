// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../../posix/errno.js';
import { LOG_INFO } from '../../server/logger.js';
import type {
  BlockStatusDone,
  DataRequest,
  DiskInfo,
  Done,
  Driver,
  DriverContext,
  FilterDriverType,
  OpenFlags,
  RangeRequest,
  SectorRange,
  ZeroesRequest,
} from '../index.js';

/**
 * `log:LABEL|…`: writes a line to the log (LOG_INFO) for each request that ends: what, where, with which result, after
 * how long. The label is optional. Requests go on to the driver below unchanged.
 */
export class LogDriver implements Driver {
  readonly #prefix: string;
  readonly #below: Driver;
  readonly #context: DriverContext;
  readonly discard?: (request: RangeRequest) => void;
  readonly writeZeroes?: (request: ZeroesRequest) => void;
  readonly writeZeroesFast?: (request: ZeroesRequest) => void;
  readonly blockStatus?: (range: SectorRange, done: BlockStatusDone) => void;
  readonly blockStatusFast?: (range: SectorRange, done: BlockStatusDone) => void;
  readonly identify?: NonNullable<Driver['identify']>;
  readonly settle?: NonNullable<Driver['settle']>;
  readonly resize?: NonNullable<Driver['resize']>;

  constructor(label: string, below: Driver, context: DriverContext) {
    this.#prefix = label === '' ? 'log' : `log ${label}`;
    this.#below = below;
    this.#context = context;
    // What the driver below cannot do, this one must not seem to.
    if (below.discard) {
      this.discard = (request) =>
        below.discard?.({ ...rangeOf(request), complete: this.#logged('discard', request) });
    }
    if (below.writeZeroes) {
      this.writeZeroes = (request) =>
        below.writeZeroes?.({
          ...rangeOf(request),
          noHole: request.noHole,
          isNeeded: request.isNeeded,
          complete: this.#logged('zeroes', request),
        });
    }
    if (below.writeZeroesFast) {
      this.writeZeroesFast = (request) =>
        below.writeZeroesFast?.({
          ...rangeOf(request),
          noHole: request.noHole,
          complete: this.#logged('fast zeroes', request),
        });
    }
    if (below.blockStatus) this.blockStatus = (range, done) => below.blockStatus?.(range, done);
    if (below.blockStatusFast) this.blockStatusFast = (range, done) => below.blockStatusFast?.(range, done);
    if (below.identify) this.identify = (done) => below.identify?.(done);
    if (below.settle) this.settle = (done) => below.settle?.(done);
    if (below.resize) this.resize = (done) => below.resize?.(done);
  }

  open(flags: OpenFlags, done: Done): void {
    this.#log(`open${flags.readOnly ? ' read-only' : ''}${flags.shared ? ' shared' : ''}`);
    done(0);
  }
  info(): DiskInfo {
    return this.#below.info();
  }
  close(done: Done): void {
    this.#log('close');
    done(0);
  }

  queueRead(request: DataRequest): void {
    const complete = this.#logged('read', request);
    this.#below.queueRead({ ...rangeOf(request), buffer: request.buffer, complete });
  }
  queueWrite(request: DataRequest): void {
    const complete = this.#logged('write', request);
    this.#below.queueWrite({ ...rangeOf(request), buffer: request.buffer, complete });
  }
  flush(done: Done): void {
    this.#below.flush(this.#logged('flush', { sector: 0, sectors: 0, complete: done }));
  }

  describe(): string {
    return this.#prefix;
  }

  /** A request's `complete`, with its line before it. */
  #logged(what: string, request: RangeRequest): Done {
    const { clock } = this.#context.posix;
    const start = clock.now();
    return (result) => {
      const microseconds = Math.round((clock.now() - start) * 1e6);
      const range = request.sectors > 0 ? ` ${request.sectors} at ${request.sector}` : '';
      this.#log(`${what}${range}: ${result < 0 ? errnoCode(result) : 'ok'} in ${microseconds} us`);
      request.complete(result);
    };
  }

  #log(message: string): void {
    this.#context.logger.log(LOG_INFO, `${this.#prefix}: ${message}`);
  }
}

function rangeOf({ sector, sectors }: SectorRange): SectorRange {
  return { sector, sectors };
}

/** The driver type `log`. */
export const logDriverType: FilterDriverType = {
  name: 'log',
  createFilter: (context, label, below) => new LogDriver(label, below, context),
};
