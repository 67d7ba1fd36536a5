// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, type Posix } from '../src/posix/index.js';
import type { EventRegistrar } from '../src/scheduler/index.js';
import { failEachNamed, type FailingScenario } from '../src/testing/each-call.js';
import { CALL_NAMES, type CallFault, type CallName, TYPICAL_ERRORS } from '../src/testing/index.js';

/** What can fail: system calls, and the registering of an event. */
type FailingName = CallName | 'registerEvent';
export type Fault = CallFault<FailingName>;

const ERRORS = { ...TYPICAL_ERRORS, registerEvent: [errno.EBUSY] } as const;
/** Not a lookup's promise, nor select, which is a poller's. */
const counted: ReadonlySet<string> = new Set(
  CALL_NAMES.filter((name) => name !== 'select' && name !== 'resolve'),
);

/** Runs a scenario once for each call that it makes and each way in which it fails ({@link failEachNamed}). */
export const failEachInTurn = (scenario: FailingScenario<FailingName>) => failEachNamed(ERRORS, scenario);

/** A system whose calls fail by `fault`. A counter's reads and writes do not count: those of a true one cannot fail. */
export function failingPosix<P extends Posix>(posix: P, fault: Fault): P {
  const counters = new Set<unknown>();
  return new Proxy(posix, {
    get: (target, name: keyof P & string) => {
      const value: unknown = target[name];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const failure =
          counted.has(name) && !counters.has(args[0]) ? fault.next(name as CallName) : undefined;
        // A close that fails has closed all the same.
        const answer: unknown =
          failure === undefined || name === 'close' ? value.apply(target, args) : undefined;
        if (name === 'eventfd' && failure === undefined) counters.add(answer);
        if (name === 'close') counters.delete(args[0]);
        return failure ?? answer;
      };
    },
  });
}

/** A scheduler on which the registering of an event fails by `fault`. */
export function failingRegistrar(registrar: EventRegistrar, fault: Fault): EventRegistrar {
  return {
    registerEvent: (...event) => fault.next('registerEvent') ?? registrar.registerEvent(...event),
    unregisterEvent: (id) => registrar.unregisterEvent(id),
    setMaxTimeout: (timeoutSeconds) => registrar.setMaxTimeout(timeoutSeconds),
  };
}
