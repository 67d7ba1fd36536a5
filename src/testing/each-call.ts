// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { CallFault, type CallName } from './call-faults.js';
import { TYPICAL_ERRORS } from './typical-errors.js';

/** A scenario that makes more calls than this does not end, unless set otherwise. */
export const DEFAULT_MAX_CALLS = 10_000;

/**
 * What is to survive the failure of any one call.
 *
 * @param fault to be given to the {@link SimulatedHost.failCalls} of each host whose calls are to fail, when they are to
 * @returns what must not be and was; empty when all is well
 */
export type FailingScenario<Name extends string = CallName> = (
  fault: CallFault<Name>,
) => Promise<readonly string[]>;

/** A run that went wrong. */
export interface FailedRun<Name extends string = CallName> {
  /** Which call was made to fail, counted from 1; of the run without a failure it is the one after the last. */
  readonly nth: number;
  readonly call: Name | undefined;
  /** What it returned, positive; 0 for the run without a failure. */
  readonly error: number;
  readonly violations: readonly string[];
}

/** Which calls were made to fail in turn, and the outcome of each. */
export interface EachCallReport<Name extends string = CallName> {
  /** How many runs there were, the one without a failure among them. */
  readonly runs: number;
  /** How often each kind of call was the one that failed. */
  readonly calls: ReadonlyMap<Name, number>;
  readonly failedRuns: readonly FailedRun<Name>[];
}

/**
 * Runs a scenario once for every system call that it makes, with that call failing, and for every error that the call
 * typically fails with ({@link TYPICAL_ERRORS}): n = 1, 2, 3 … until it runs through untouched.
 *
 * @throws Error when there are more than `maxCalls` calls, `DEFAULT_MAX_CALLS` unless given
 */
export function failEachCall(
  scenario: FailingScenario,
  options: { readonly maxCalls?: number } = {},
): Promise<EachCallReport> {
  return failEachNamed(TYPICAL_ERRORS, scenario, options);
}

/**
 * As {@link failEachCall}, for calls of whatever names, and with the errors that each of them is to fail with.
 *
 * @throws (rejects with) Error after `maxCalls` calls without an end
 */
export async function failEachNamed<Name extends string>(
  errors: Readonly<Record<Name, readonly number[]>>,
  scenario: FailingScenario<Name>,
  { maxCalls = DEFAULT_MAX_CALLS }: { readonly maxCalls?: number } = {},
): Promise<EachCallReport<Name>> {
  const calls = new Map<Name, number>();
  const failedRuns: FailedRun<Name>[] = [];
  let runs = 0;
  for (let nth = 1; nth <= maxCalls + 1; nth++) {
    let call: Name | undefined;
    for (let variant = 0; variant === 0 || (call !== undefined && variant < errors[call].length); variant++) {
      const fault = new CallFault<Name>({ nth, error: (name) => errors[name][variant] });
      const violations = await scenario(fault);
      runs += 1;
      call = fault.lastFailed;
      if (violations.length > 0) failedRuns.push({ nth, call, error: fault.lastError, violations });
    }
    if (call === undefined) return { runs, calls, failedRuns };
    calls.set(call, (calls.get(call) ?? 0) + 1);
  }
  throw new Error(`the scenario makes more than ${maxCalls} calls`);
}
