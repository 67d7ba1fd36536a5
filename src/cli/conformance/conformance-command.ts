// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { wallClock } from '../../posix/clock.js';
import { shownMessage, shownText } from '../../server/shown-text.js';
import { TransferError } from '../../transfer/transfer-error.js';
import type { TextIo } from '../command-io.js';
import type { Values } from '../command-line/command-table.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { UsageError } from '../usage-error.js';
import type { conformanceTable } from './conformance-table.js';
import { ImplementationUnavailable } from '../../conformance/implementation.js';
import { packageVersion } from '../../server/package-file.js';
import type { Column } from '../../conformance/page/column.js';
import { conformancePage } from '../../conformance/page/conformance-page.js';
import { createReport, type ReportFormat } from '../../conformance/report-format.js';
import { ownRules } from '../../conformance/rules.js';
import { type Assignment, runVectors } from '../../conformance/suite-run.js';
import { conforms, tallyLine, tallyOf, type VectorResult } from '../../conformance/vector-result.js';
import { ownVectorFiles, selectVectors } from '../../conformance/vector-selection.js';
import { type Candidate, candidates } from './implementations.js';
import { refuseInput, reportFile, type ReportPlace } from './report-file.js';

type ConformanceValues = Values<typeof conformanceTable>;

/**
 * Runs `tapdisk-ts conformance`; returns the exit status.
 *
 * @throws UsageError when there are no vectors to run, or several implementations for a report of one
 */
export async function runConformance(
  values: ConformanceValues,
  io: TextIo,
  ownFiles: typeof ownVectorFiles = ownVectorFiles,
): Promise<number> {
  const { files: given, cmd, own, suite, dialect, grep, timeout, output } = values;
  const files = given.length > 0 ? given : ownFiles();
  if (files.length === 0) throw new UsageError('missing FILE: the package has no vectors of its own');
  const all = candidates(cmd, own, timeout);
  if (all.length > 1 && values.format !== 'html')
    throw new UsageError(`${all.length} implementations in one run require --format html`);
  if (output !== undefined) refuseInput(output, files);
  const assignments = selectVectors(files, { suite, dialect, pattern: grep });
  warn(assignments, io);
  try {
    const place = output === undefined ? standardOutput(io) : await reportFile(output);
    const columns = await runAll(all, assignments, values, place);
    await place.close();
    if (output !== undefined) for (const column of columns) io.stdout.write(countsLine(column, columns));
    return columns.every(({ results }) => conforms(tallyOf(results))) ? EXIT_OK : EXIT_FAILED;
  } catch (error) {
    const where = error instanceof ImplementationUnavailable ? '--cmd' : '--output';
    if (where === '--output' && !(error instanceof TransferError)) throw error;
    io.stderr.write(`tapdisk-ts conformance: ${where}: ${shownMessage((error as Error).message)}\n`);
    return EXIT_FAILED;
  }
}

/** Writes the report on all of them. */
async function runAll(
  all: readonly Candidate[],
  assignments: readonly Assignment[],
  { format, jobs, bail, show: shownFailures }: ConformanceValues,
  place: ReportPlace,
): Promise<Column[]> {
  const rules = ownRules();
  const write = (text: string): void => place.write(text);
  const shown = shownFailures !== undefined && { shownFailures };
  const report =
    format === 'html' ? undefined : createReport(format as ReportFormat, write, { ...shown, rules });
  const onResult = (result: VectorResult): void => report?.result(result);
  const columns: Column[] = [];
  for (const candidate of all) {
    const results = await candidate.use((implementation) =>
      runVectors(assignments, implementation, { jobs, bail, onResult }),
    );
    report?.end(results);
    columns.push({ name: candidate.name, results });
  }
  if (format !== 'html') return columns;
  const [atSeconds, version] = [wallClock.now(), packageVersion()];
  write(await conformancePage({ columns, assignments, rules, atSeconds, version, ...shown }));
  return columns;
}

function standardOutput({ stdout }: TextIo): ReportPlace {
  return {
    write: (text) => {
      stdout.write(text);
    },
    close: () => Promise.resolve(),
  };
}

function countsLine({ name, results }: Column, { length }: readonly Column[]): string {
  return `${length > 1 ? `${shownText(name)}: ` : ''}${tallyLine(tallyOf(results))}\n`;
}

function warn(assignments: readonly Assignment[], io: TextIo): void {
  if (assignments.length === 0) io.stderr.write('warning: no vector in the files is selected\n');
  for (const { item } of assignments) {
    if (item.kind === 'vector')
      for (const warning of item.warnings) io.stderr.write(`warning: ${shownMessage(warning)}\n`);
  }
}
