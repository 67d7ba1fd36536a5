// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage } from '../../server/shown-text.js';
import { Adapter } from '../../conformance/adapter.js';
import type { TextIo } from '../command-io.js';
import type { Values } from '../command-line/command-table.js';
import { EXIT_FAILED, EXIT_OK, exitOfSignal } from '../exit-status.js';
import { onSignals } from '../../server/signals.js';
import { UsageError } from '../usage-error.js';
import type { conformanceTable } from './conformance-table.js';
import {
  type Implementation,
  ImplementationUnavailable,
  inProcess,
  ownScheduler,
} from '../../conformance/implementation.js';
import { createReport } from '../../conformance/report-format.js';
import { ownRules } from '../../conformance/rules.js';
import { type Assignment, runVectors } from '../../conformance/suite-run.js';
import { tallyOf, type VectorResult } from '../../conformance/vector-result.js';
import { ownVectorFiles, selectVectors } from '../../conformance/vector-selection.js';

/**
 * Runs `tapdisk-ts conformance`; returns the exit status.
 *
 * @throws UsageError when there are no vectors to run
 */
export async function runConformance(
  {
    files: given,
    cmd,
    suite,
    dialect,
    grep,
    format,
    jobs,
    timeout,
    bail,
    show,
  }: Values<typeof conformanceTable>,
  io: TextIo,
): Promise<number> {
  const files = given.length > 0 ? given : ownVectorFiles();
  if (files.length === 0) throw new UsageError('missing FILE: the package has no vectors of its own');
  const report = createReport(format, (text) => io.stdout.write(text), {
    shownFailures: show,
    rules: ownRules(),
  });
  const assignments = selectVectors(files, { suite, dialect, pattern: grep });
  warn(assignments, io);
  const onResult = (result: VectorResult): void => report.result(result);
  const run = (implementation: Implementation): Promise<VectorResult[]> =>
    runVectors(assignments, implementation, { jobs, bail, onResult });
  let results: VectorResult[];
  try {
    results =
      cmd === undefined
        ? await run(inProcess(ownScheduler))
        : await withAdapter({ ...cmd, timeoutSeconds: timeout }, run);
  } catch (error) {
    if (!(error instanceof ImplementationUnavailable)) throw error;
    io.stderr.write(`tapdisk-ts conformance: --cmd: ${shownMessage(error.message)}\n`);
    return EXIT_FAILED;
  }
  report.end(results);
  const { passed, failed } = tallyOf(results);
  return passed > 0 && failed === 0 ? EXIT_OK : EXIT_FAILED;
}

async function withAdapter<Result>(
  options: ConstructorParameters<typeof Adapter>[0],
  use: (adapter: Adapter) => Promise<Result>,
): Promise<Result> {
  // Adapters are in groups of their own, which a terminal's signals do not reach: they end as this process exits.
  const exit = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => () => process.exit(exitOfSignal(signal));
  using _signals = onSignals({ SIGINT: exit('SIGINT'), SIGTERM: exit('SIGTERM'), SIGHUP: exit('SIGHUP') });
  await using adapter = new Adapter(options);
  return await use(adapter);
}

function warn(assignments: readonly Assignment[], io: TextIo): void {
  if (assignments.length === 0) io.stderr.write('warning: no vector in the files is selected\n');
  for (const { item } of assignments) {
    if (item.kind === 'vector')
      for (const warning of item.warnings) io.stderr.write(`warning: ${shownMessage(warning)}\n`);
  }
}
