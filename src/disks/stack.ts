// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../posix/errno.js';
import { LOG_ERR } from '../server/logger.js';
import { callDriver, logThrown } from './driver-calls.js';
import {
  type DiskInfo,
  type DoneWithReason,
  type Driver,
  type DriverContext,
  type DriverType,
  type OpenFlags,
  SECTOR_SIZE,
} from './driver.js';

/** How many drivers may stand on each other. */
export const MAX_STACK_HEIGHT = 8;

/** A byte beyond 2^53 - 1 has no exact number. */
const MAX_SECTORS = Math.floor(Number.MAX_SAFE_INTEGER / SECTOR_SIZE);

/** The driver types that a daemon has, by name. */
export type DriverTypes = ReadonlyMap<string, DriverType>;

/** One driver of a name. */
export interface StackElement {
  readonly type: DriverType;
  readonly argument: string;
}

/**
 * Takes apart the name of an image, as `tap-ctl open -a` gives it: `TYPE:ARGUMENT`, or several of them with bars between,
 * the filters first: `log:|aio:/path`. All that follows the colon of the last one, which is no filter, is its argument,
 * bars and colons too. A filter without an argument may leave its bar out: `log:aio:/path`.
 *
 * Returns the drivers from top to bottom, or what is wrong with the name.
 */
export function parseStack(name: string, types: DriverTypes): readonly StackElement[] | string {
  const elements: StackElement[] = [];
  let rest = name;
  /** What to say of a name whose filter has no bar, and nothing below that could do without. */
  let hint = '';
  for (;;) {
    const colon = rest.indexOf(':');
    if (colon < 0) return `'${rest}' has no driver: a name is TYPE:ARGUMENT, as in aio:/path${hint}`;
    const typeName = rest.slice(0, colon);
    const type = types.get(typeName);
    if (!type) return `unknown driver '${typeName}': expected one of ${[...types.keys()].join(', ')}${hint}`;
    if (elements.length === MAX_STACK_HEIGHT) return `more than ${MAX_STACK_HEIGHT} drivers`;
    rest = rest.slice(colon + 1);
    if (!('createFilter' in type)) {
      elements.push({ type, argument: rest });
      return elements;
    }
    const bar = rest.indexOf('|');
    const ownArgument = bar >= 0 && !startsWithType(rest, types);
    elements.push({ type, argument: ownArgument ? rest.slice(0, bar) : '' });
    if (ownArgument) rest = rest.slice(bar + 1);
    hint = ownArgument ? '' : `; a filter's argument ends with a bar: ${typeName}:ARGUMENT|TYPE:ARGUMENT`;
  }
}

function startsWithType(text: string, types: DriverTypes): boolean {
  const colon = text.indexOf(':');
  return colon >= 0 && types.has(text.slice(0, colon));
}

/** The drivers of one opening, the top one first, the one with the disk last. */
export class DriverStack {
  readonly #drivers: readonly Driver[];
  readonly #context: DriverContext;
  readonly #name: string;
  #info: DiskInfo = { sectors: 0, sectorSize: SECTOR_SIZE, info: 0 };
  #isAborted = false;

  private constructor(name: string, drivers: readonly Driver[], context: DriverContext) {
    this.#name = name;
    this.#drivers = drivers;
    this.#context = context;
  }

  /** Makes the drivers of a name, none of them open; -EINVAL, or what is wrong with the name. */
  static create(name: string, types: DriverTypes, context: DriverContext): DriverStack | string {
    const elements = parseStack(name, types);
    if (typeof elements === 'string') return elements;
    const drivers: Driver[] = [];
    for (const { type, argument } of [...elements].reverse()) {
      try {
        // The last driver of a name is no filter: below each of those there is one.
        const driver =
          'createFilter' in type
            ? type.createFilter(context, argument, drivers[0] as Driver)
            : type.create(context, argument);
        drivers.unshift(driver);
      } catch (error) {
        logThrown(context.logger, name, error);
        return `the driver '${type.name}' has a fault: ${String(error)}`;
      }
    }
    return new DriverStack(name, drivers, context);
  }

  /** The driver that gets the requests: every name has one. */
  get top(): Driver {
    return this.#drivers[0] as Driver;
  }

  /** The disk's measures, as of the last opening. */
  get info(): DiskInfo {
    return this.#info;
  }

  /** From top to bottom. */
  get drivers(): readonly Driver[] {
    return this.#drivers;
  }

  /** Opens from the bottom up. When one fails, those below it are closed again, and its error is the result. */
  open(flags: OpenFlags, done: DoneWithReason): void {
    this.#isAborted = false;
    const openFrom = (index: number): void => {
      const driver = this.#drivers[index];
      if (!driver) {
        this.#measure(done);
        return;
      }
      if (this.#isAborted) {
        this.#closeFrom(index + 1, done, -errno.ECANCELED);
        return;
      }
      const opened: DoneWithReason = (result, reason) => {
        if (result >= 0) openFrom(index - 1);
        else this.#closeFrom(index + 1, done, result, reason);
      };
      this.#call((ended) => driver.open(flags, ended), opened);
    };
    openFrom(this.#drivers.length - 1);
  }

  /** See {@link Driver.abortOpen}. No further driver is opened. */
  abortOpen(): void {
    this.#isAborted = true;
    this.#callEach((driver) => driver.abortOpen?.());
  }

  /** Takes the image's size as it is now: 0, -EOPNOTSUPP when the top driver cannot, or its error. */
  resize(done: DoneWithReason): void {
    const { top } = this;
    if (!top.resize) {
      done(-errno.EOPNOTSUPP, `the driver of ${this.#name} cannot resize a disk in use`);
      return;
    }
    this.#call(
      (ended) => top.resize?.(ended),
      (result, reason) => (result < 0 ? done(result, reason) : this.#call(this.#takeMeasures, done)),
    );
  }

  preClose(): void {
    this.#callEach((driver) => driver.preClose?.());
  }

  /** Closes from the top down, all of them, and returns the first error. */
  close(done: DoneWithReason): void {
    this.#closeFrom(0, done);
  }

  /** `first` is the error that `done` gets, if there is one already. Any other has no reader but the log. */
  #closeFrom(index: number, done: DoneWithReason, first = 0, firstReason?: string): void {
    const driver = this.#drivers[index];
    if (!driver) {
      done(first, firstReason);
      return;
    }
    const closed: DoneWithReason = (result, reason) => {
      if (result < 0 && first < 0) {
        this.#context.logger.log(LOG_ERR, `${this.#name}: close failed: ${reason ?? errnoCode(result)}`);
      }
      if (first < 0) this.#closeFrom(index + 1, done, first, firstReason);
      else this.#closeFrom(index + 1, done, result, reason);
    };
    this.#call((ended) => driver.close(ended), closed);
  }

  /** Takes the disk's measures. When they cannot be, all is closed again: -EFBIG for what cannot be addressed exactly. */
  #measure(done: DoneWithReason): void {
    this.#call(this.#takeMeasures, (result, reason) => {
      if (result >= 0) done(0);
      else this.#closeFrom(0, done, result, reason);
    });
  }

  readonly #takeMeasures = (ended: DoneWithReason): void => {
    const info = this.top.info();
    const { sectors } = info;
    if (sectors > MAX_SECTORS) {
      ended(-errno.EFBIG, `${sectors} sectors are too many: expected at most ${MAX_SECTORS} (8 PiB)`);
      return;
    }
    this.#info = info;
    ended(0);
  };

  /** Makes a call of each driver that completes nothing, also after one that throws. */
  #callEach(call: (driver: Driver) => void): void {
    for (const driver of this.#drivers) {
      try {
        call(driver);
      } catch (error) {
        logThrown(this.#context.logger, this.#name, error);
      }
    }
  }

  #call(call: (done: DoneWithReason) => void, done: DoneWithReason): void {
    callDriver(this.#context.logger, this.#name, call, done);
  }

  describe(): string {
    return this.#drivers.map((driver) => this.#described(driver)).join(' | ');
  }

  #described(driver: Driver): string {
    try {
      return driver.describe?.() ?? '';
    } catch (error) {
      return `(threw ${String(error)})`;
    }
  }
}
