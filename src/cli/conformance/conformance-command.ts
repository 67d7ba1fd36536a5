// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { Adapter } from '../../conformance/adapter.js';
import { choice, numeric, withUsageErrors } from '../choices.js';
import type { TextIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { UsageError } from '../usage-error.js';
import { commandWords } from './command-words.js';
import { type Implementation, inProcess, ownScheduler } from '../../conformance/implementation.js';
import { createReport, REPORT_FORMATS } from '../../conformance/report-format.js';
import { type Assignment, runVectors } from '../../conformance/suite-run.js';
import { tallyOf, type VectorResult } from '../../conformance/vector-result.js';
import { ownVectorFiles, selectVectors } from '../../conformance/vector-selection.js';
import { SUITE_NAMES } from '../../conformance/vector.js';

const MAX_JOBS = 256;
/** A day, in seconds. */
const MAX_TIMEOUT = 86_400;

export const CONFORMANCE_HELP = `Usage: tapdisk-ts conformance [OPTION]... [FILE]...

Runs the scripts of conformance vectors and compares the traces, entry by entry. Without --cmd the scheduler and the
modules of this package are run. Without a FILE the vectors of the source tree are.

      --cmd 'PROGRAM ARGS'  run another implementation: a child process that reads a script a line and answers a trace a
                            line (docs/conformance.md). No shell is involved; quotes and backslashes part words.
      --suite SUITE         only vectors of one suite: ${SUITE_NAMES.join(', ')}
      --grep RE             only vectors whose suite/name matches the regular expression
      --format FORMAT       ${REPORT_FORMATS.join(', ')} (text unless given)
      --jobs N              with --cmd: how many children at a time, 1 to ${MAX_JOBS} (1 unless given)
      --timeout S           with --cmd: how many seconds a child has for a script (10 unless given)
  -h, --help                print this

Exit status: 0 all passed, 1 a vector failed or none passed, 2 the command line is wrong.
`;

/** `tapdisk-ts conformance`: answers the exit status. */
export function runConformanceCommand(argv: readonly string[], io: TextIo): Promise<number> {
  return withUsageErrors('conformance', io, () => conform(argv, io));
}

async function conform(argv: readonly string[], io: TextIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      cmd: { type: 'string' },
      suite: { type: 'string' },
      grep: { type: 'string' },
      format: { type: 'string', default: 'text' },
      jobs: { type: 'string', default: '1' },
      timeout: { type: 'string', default: '10' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(CONFORMANCE_HELP);
    return EXIT_OK;
  }
  const filter = {
    suite: values.suite === undefined ? undefined : choice('--suite', values.suite, SUITE_NAMES),
    pattern: values.grep === undefined ? undefined : patternFrom(values.grep),
  };
  const report = createReport(choice('--format', values.format, REPORT_FORMATS), (text) =>
    io.stdout.write(text),
  );
  const jobs = numeric('--jobs', values.jobs, { least: 1, most: MAX_JOBS, whole: true });
  const timeoutSeconds = numeric('--timeout', values.timeout, { least: 0.001, most: MAX_TIMEOUT });
  const command = values.cmd === undefined ? undefined : programFrom(values.cmd);
  const files = positionals.length > 0 ? positionals : ownVectorFiles();
  if (files.length === 0) throw new UsageError('no FILE is given, and the package has none of its own');

  const assignments = selectVectors(files, filter);
  warn(assignments, io);
  const onResult = (result: VectorResult): void => report.result(result);
  const run = (implementation: Implementation): Promise<VectorResult[]> =>
    runVectors(assignments, implementation, { jobs, onResult });
  const results =
    command === undefined
      ? await run(inProcess(ownScheduler))
      : await withAdapter({ ...command, timeoutSeconds }, run);
  report.end(results);
  const { passed, failed } = tallyOf(results);
  return passed > 0 && failed === 0 ? EXIT_OK : EXIT_FAILED;
}

async function withAdapter<Result>(
  options: ConstructorParameters<typeof Adapter>[0],
  use: (adapter: Adapter) => Promise<Result>,
): Promise<Result> {
  await using adapter = new Adapter(options);
  return await use(adapter);
}

function warn(assignments: readonly Assignment[], io: TextIo): void {
  if (assignments.length === 0) io.stderr.write('warning: no vector is wanted of what the files have\n');
  for (const { item } of assignments) {
    if (item.kind === 'vector') for (const warning of item.warnings) io.stderr.write(`warning: ${warning}\n`);
  }
}

function patternFrom(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new UsageError(`--grep is no regular expression: ${(error as Error).message}`);
  }
}

function programFrom(text: string): { program: string; args: string[] } {
  const words = commandWords(text);
  if (words === undefined)
    throw new UsageError('--cmd has a quote that is not closed, or ends with a backslash');
  const [program, ...args] = words;
  if (program === undefined || program === '') throw new UsageError('--cmd names no program');
  return { program, args };
}
