// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { inProcess, ownScheduler } from './implementation.js';
import { createReport, REPORT_FORMATS, type ReportFormat } from './report-format.js';
import { type Assignment, runVectors } from './suite-run.js';
import { SUITE_NAMES, type SuiteName } from './vector.js';
import { ownVectorFiles, selectVectors } from './vector-selection.js';

/** The streams that a command writes to; a process is one. */
export interface CommandIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export const CONFORMANCE_HELP = `Usage: tapdisk-ts conformance [OPTION]... [FILE]...

Runs the scripts of conformance vectors and compares the traces, entry by entry. Without --cmd the scheduler and the
connect module of this package are run. Without a FILE the vectors of the source tree are.

      --suite SUITE       only vectors of one suite: ${SUITE_NAMES.join(' or ')}
      --grep RE           only vectors whose suite/name matches the regular expression
      --format FORMAT     ${REPORT_FORMATS.join(', ')} (text unless given)
  -h, --help              print this

Exit status: 0 all passed, 1 a vector failed or none was run, 2 the command line is wrong.
`;

/** The command line is wrong; the message says what and how it would be right. */
class UsageError extends Error {}

/** `tapdisk-ts conformance`: answers the exit status. */
export async function runConformanceCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await conform(argv, io);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    io.stderr.write(`tapdisk-ts conformance: ${error.message}\nTry --help.\n`);
    return 2;
  }
}

async function conform(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      suite: { type: 'string' },
      grep: { type: 'string' },
      format: { type: 'string', default: 'text' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(CONFORMANCE_HELP);
    return 0;
  }
  const filter = {
    suite: values.suite === undefined ? undefined : suiteFrom(values.suite),
    pattern: values.grep === undefined ? undefined : patternFrom(values.grep),
  };
  const report = createReport(formatFrom(values.format), (text) => io.stdout.write(text));
  const files = positionals.length > 0 ? positionals : ownVectorFiles();
  if (files.length === 0) throw new UsageError('no FILE is given, and the package has none of its own');

  const assignments = selectVectors(files, filter);
  warn(assignments, io);
  if (assignments.length === 0)
    io.stderr.write(`tapdisk-ts conformance: no vector was run: the files have none that is wanted\n`);
  const results = await runVectors(assignments, inProcess(ownScheduler), {
    onResult: (result) => report.result(result),
  });
  report.end(results);
  return results.length > 0 && results.every(({ outcome }) => outcome !== 'failed') ? 0 : 1;
}

function warn(assignments: readonly Assignment[], io: CommandIo): void {
  for (const { item } of assignments) {
    if (item.kind === 'vector') for (const warning of item.warnings) io.stderr.write(`warning: ${warning}\n`);
  }
}

function suiteFrom(text: string): SuiteName {
  const suite = SUITE_NAMES.find((name) => name === text);
  if (suite === undefined)
    throw new UsageError(`--suite is ${text}, but must be ${SUITE_NAMES.join(' or ')}`);
  return suite;
}

function formatFrom(text: string): ReportFormat {
  const format = REPORT_FORMATS.find((name) => name === text);
  if (format === undefined)
    throw new UsageError(`--format is ${text}, but must be one of ${REPORT_FORMATS.join(', ')}`);
  return format;
}

function patternFrom(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new UsageError(`--grep is no regular expression: ${(error as Error).message}`);
  }
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
