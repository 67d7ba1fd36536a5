// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_DIALECT, type Dialect } from '../../scheduler/dialect.js';
import type { TextIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import type { Values } from '../command-line/command-table.js';
import { simulate, type SimulationResult } from '../../testing/simulation/simulate.js';
import { DEFAULT_SEEDS, type simulateTable } from './simulate-table.js';

/** A run's trace has some thousands of lines; with this many none is lost. */
const WHOLE_TRACE_LINES = 1_000_000;
const PROGRESS_SEEDS = 1000;

/**
 * Runs `tapdisk-ts simulate`; returns the exit status.
 *
 * @param run what runs one seed; {@link simulate} unless given
 */
export async function runSimulate(
  { seeds = DEFAULT_SEEDS, seed: one, dialect, trace }: Values<typeof simulateTable>,
  io: TextIo,
  run: typeof simulate = simulate,
): Promise<number> {
  const { first, last } = one === undefined ? seeds : { first: one, last: one };
  let failed = 0;
  let slowest = { seconds: 0, seed: first };
  for (let seed = first; seed <= last; seed++) {
    const result = await run(seed, { dialect, traceLines: trace ? WHOLE_TRACE_LINES : 0 });
    if (trace) io.stdout.write(result.trace.toString());
    if (result.violations.length > 0) {
      failed += 1;
      io.stdout.write(failureText(result, dialect));
    }
    const seconds = result.secondsToConnect;
    if (seconds !== undefined && seconds > slowest.seconds) slowest = { seconds, seed };
    const done = seed - first + 1;
    if (done % PROGRESS_SEEDS === 0 && seed < last) {
      io.stdout.write(`${done} of ${last - first + 1} seeds, ${failed} failed\n`);
    }
  }
  if (slowest.seconds > 0) io.stdout.write(slowestText(slowest));
  io.stdout.write(`${last - first + 1 - failed} passed, ${failed} failed\n`);
  return failed === 0 ? EXIT_OK : EXIT_FAILED;
}

function failureText({ seed, violations }: SimulationResult, dialect: Dialect): string {
  const lines = violations.map((violation) => `  ${violation}\n`);
  const options = dialect === DEFAULT_DIALECT ? '' : ` --dialect ${dialect}`;
  return `seed ${seed} failed:\n${lines.join('')}  to replay it: tapdisk-ts simulate${options} --seed ${seed} --trace\n`;
}

function slowestText({ seconds, seed }: { readonly seconds: number; readonly seed: number }): string {
  return `slowest to connect after the last fault: ${seconds.toFixed(3)} s of virtual time, seed ${seed}\n`;
}
