// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { withUsageErrors } from '../choices.js';
import type { TextIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { UsageError } from '../usage-error.js';
import { inProcess, ownScheduler } from '../../conformance/implementation.js';
import { recordVector, scriptsOf, vectorFileText } from '../../conformance/record.js';
import { readVectorFile } from '../../conformance/vector-file.js';
import type { Vector } from '../../conformance/vector.js';

export const RECORD_HELP = `Usage: tapdisk-ts record SCRIPT

Runs the scripts of a file with this package's scheduler and modules, and writes them to standard output as a
vector file, each with the trace that was observed. A script is a vector without its member trace; a trace that is there
is replaced. SCRIPT holds one, or an array of them; /dev/stdin reads standard input where the system has it.

  -h, --help                print this

Exit status: 0 recorded, 1 the file cannot be used (nothing is written then), 2 the command line is wrong.
`;

/** `tapdisk-ts record`: answers the exit status. */
export function runRecordCommand(argv: readonly string[], io: TextIo): Promise<number> {
  return withUsageErrors('record', io, () => record(argv, io));
}

async function record(argv: readonly string[], io: TextIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) {
    io.stdout.write(RECORD_HELP);
    return EXIT_OK;
  }
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError(`wanted one SCRIPT, got ${positionals.length}`);
  const { scripts, faults } = scriptsOf(readVectorFile(file, 'script'));
  for (const fault of faults) io.stderr.write(`tapdisk-ts record: ${fault}\n`);
  if (faults.length > 0) return EXIT_FAILED;
  const vectors: Vector[] = [];
  for (const script of scripts) vectors.push(await recordVector(script, inProcess(ownScheduler)));
  io.stdout.write(vectorFileText(vectors));
  return EXIT_OK;
}
