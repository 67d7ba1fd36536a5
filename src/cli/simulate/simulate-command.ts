// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { withUsageErrors } from '../choices.js';
import type { TextIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { UsageError } from '../usage-error.js';
import { simulate, type SimulationResult } from '../../testing/simulation/simulate.js';

/** A run's trace has some thousands of lines; with so many none is lost. */
const WHOLE_TRACE_LINES = 1_000_000;
const PROGRESS_SEEDS = 1000;
const DEFAULT_SEEDS = '1..1000';

export const SIMULATE_HELP = `Usage: tapdisk-ts simulate [--seeds FROM..TO | --seed N [--trace]]

Runs primaries and backups on this package's scheduler, server and connect module in a simulated world: they start, die,
restart and are cut off at random, and in the end everything is healed. Checked are: no callback for an event that is not
registered or a descriptor that is closed; every start ends in exactly one of established, failed and killed; the two are
connected soon after the last fault; nothing is left after kill; every byte that arrives is the byte that was sent. A seed
decides everything that happens, so a failure can be replayed. Nothing sleeps.

      --seeds FROM..TO      the seeds to run (${DEFAULT_SEEDS} unless given)
      --seed N              one seed
      --trace               with --seed: print every call, segment and log line
  -h, --help                print this

Exit status: 0 all passed, 1 a seed failed, 2 the command line is wrong.
`;

/**
 * `tapdisk-ts simulate`: answers the exit status.
 *
 * @param run what runs one seed; {@link simulate} unless given
 */
export function runSimulateCommand(argv: readonly string[], io: TextIo, run = simulate): Promise<number> {
  return withUsageErrors('simulate', io, () => simulateSeeds(argv, io, run));
}

async function simulateSeeds(argv: readonly string[], io: TextIo, run: typeof simulate): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(SIMULATE_HELP);
    return EXIT_OK;
  }
  if (values.seed !== undefined && values.seeds !== undefined) {
    throw new UsageError('--seed and --seeds are both given, but one says it all');
  }
  if (values.trace && values.seed === undefined)
    throw new UsageError('--trace is for one run: give --seed N with it');
  const one = values.seed === undefined ? undefined : seedFrom('--seed', values.seed);
  const [first, last] = one === undefined ? rangeFrom(values.seeds ?? DEFAULT_SEEDS) : [one, one];

  let failed = 0;
  let slowest: SimulationResult | undefined;
  for (let seed = first; seed <= last; seed++) {
    const result = await run(seed, { traceLines: values.trace ? WHOLE_TRACE_LINES : 0 });
    if (values.trace) io.stdout.write(result.trace.toString());
    if (result.violations.length > 0) {
      failed += 1;
      io.stdout.write(failureText(result));
    }
    if ((result.secondsToConnect ?? 0) > (slowest?.secondsToConnect ?? 0)) slowest = result;
    const done = seed - first + 1;
    if (done % PROGRESS_SEEDS === 0 && seed < last) {
      io.stdout.write(`${done} of ${last - first + 1} seeds, ${failed} failed\n`);
    }
  }
  if (slowest !== undefined) io.stdout.write(slowestText(slowest));
  io.stdout.write(`${last - first + 1 - failed} passed, ${failed} failed\n`);
  return failed === 0 ? EXIT_OK : EXIT_FAILED;
}

function failureText({ seed, violations }: SimulationResult): string {
  const lines = violations.map((violation) => `  ${violation}\n`);
  return `seed ${seed} failed:\n${lines.join('')}  to replay it: tapdisk-ts simulate --seed ${seed} --trace\n`;
}

function slowestText({ seed, secondsToConnect = 0 }: SimulationResult): string {
  return `slowest to connect after the last fault: ${secondsToConnect.toFixed(3)} s of virtual time, seed ${seed}\n`;
}

function seedFrom(option: string, text: string): number {
  const seed = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seed)) {
    throw new UsageError(
      `${option} is ${text}, but a seed is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  return seed;
}

function rangeFrom(text: string): [first: number, last: number] {
  const [from = '', to = '', ...more] = text.split('..');
  if (to === '' || more.length > 0)
    throw new UsageError(`--seeds is ${text}, but must be like ${DEFAULT_SEEDS}`);
  const first = seedFrom('--seeds', from);
  const last = seedFrom('--seeds', to);
  if (first > last) throw new UsageError(`--seeds is ${text}, but must begin with the smaller one`);
  return [first, last];
}
