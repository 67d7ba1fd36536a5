// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../src/posix/index.js';
import type { Posix } from '../../src/posix/index.js';
import type { EventRegistrar } from '../../src/scheduler/index.js';
import { CALL_NAMES, type CallName, TYPICAL_ERRORS } from '../../src/testing/index.js';

/** What is counted and can fail: system calls, but for a lookup's promise and select, and the registering of an event. */
type FailingCallName = CallName | 'registerEvent';

const ERRORS: Readonly<Partial<Record<FailingCallName, readonly number[]>>> = {
  ...TYPICAL_ERRORS,
  registerEvent: [errno.EBUSY],
};
const counted: ReadonlySet<string> = new Set(
  CALL_NAMES.filter((name) => name !== 'select' && name !== 'resolve'),
);

/** The n-th call of all that pass through it fails, as it typically does. */
export class FailingCall {
  #nth: number;
  #failed: FailingCallName | undefined;
  readonly #variant: number;

  constructor(nth: number, variant: number) {
    this.#nth = nth;
    this.#variant = variant;
  }

  /** Which call has failed; undefined before. */
  get failed(): FailingCallName | undefined {
    return this.#failed;
  }

  /** A system whose calls pass through it. A counter's reads and writes do not: those of a true one cannot fail. */
  through<P extends Posix>(posix: P): P {
    const counters = new Set<unknown>();
    return new Proxy(posix, {
      get: (target, name: keyof P & string) => {
        const value: unknown = target[name];
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const isFailing = counted.has(name) && !counters.has(args[0]) && this.#next(name as CallName);
          // A close that fails has closed all the same.
          const answer: unknown = isFailing && name !== 'close' ? undefined : value.apply(target, args);
          if (name === 'eventfd' && !isFailing) counters.add(answer);
          if (name === 'close') counters.delete(args[0]);
          return isFailing ? this.#error(name as CallName) : answer;
        };
      },
    });
  }

  /** A scheduler whose events are registered through it. */
  registrar(registrar: EventRegistrar): EventRegistrar {
    return {
      registerEvent: (mode, fd, timeoutSeconds, callback, privateData) =>
        this.#next('registerEvent')
          ? this.#error('registerEvent')
          : registrar.registerEvent(mode, fd, timeoutSeconds, callback, privateData),
      unregisterEvent: (id) => registrar.unregisterEvent(id),
      setMaxTimeout: (timeoutSeconds) => registrar.setMaxTimeout(timeoutSeconds),
    };
  }

  /** Whether the failing call was of a kind that has no further way to fail. */
  get wasLastVariant(): boolean {
    return this.#failed === undefined || this.#variant + 1 >= (ERRORS[this.#failed]?.length ?? 0);
  }

  #next(name: FailingCallName): boolean {
    this.#nth -= 1;
    if (this.#nth === 0) this.#failed = name;
    return this.#nth === 0;
  }

  #error(name: FailingCallName): number {
    const errors = ERRORS[name] ?? [];
    return -Math.abs(errors[this.#variant] ?? errno.EIO);
  }
}

/**
 * Runs a scenario once for each call that it makes, with that call failing, and once for each way in which it does; the
 * last run is one in which none failed. Answers what went wrong, with the call that had failed, and the calls.
 */
export async function failEachCallOnce(
  scenario: (call: FailingCall) => Promise<readonly string[]>,
): Promise<{ readonly wrong: readonly string[]; readonly calls: ReadonlySet<string> }> {
  const wrong: string[] = [];
  const calls = new Set<string>();
  for (let nth = 1; ; nth++) {
    let call: FailingCall;
    let variant = 0;
    do {
      call = new FailingCall(nth, variant++);
      const violations = await scenario(call);
      wrong.push(
        ...violations.map((violation) => `call ${nth}, ${call.failed}, way ${variant}: ${violation}`),
      );
    } while (!call.wasLastVariant);
    if (call.failed === undefined) return { wrong, calls };
    calls.add(call.failed);
  }
}
