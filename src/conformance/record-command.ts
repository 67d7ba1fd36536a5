// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { type CommandIo, EXIT_FAILED, EXIT_OK, UsageError, withUsageErrors } from './command-line.js';
import { inProcess, ownScheduler } from './implementation.js';
import { recordVector, scriptsOf, vectorFileText } from './record.js';
import { readVectorFile } from './vector-file.js';
import type { Vector } from './vector.js';

export const RECORD_HELP = `Usage: tapdisk-ts record SCRIPT

Runs the scripts of a file with this package's scheduler and connect module, and writes them to standard output as a
vector file, each with the trace that was observed. A script is a vector without its member trace; a trace that is there
is replaced. SCRIPT holds one, or an array of them; /dev/stdin reads standard input where the system has it.

  -h, --help                print this

Exit status: 0 recorded, 1 the file cannot be used (nothing is written then), 2 the command line is wrong.
`;

/** `tapdisk-ts record`: answers the exit status. */
export function runRecordCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  return withUsageErrors('record', io, () => record(argv, io));
}

async function record(argv: readonly string[], io: CommandIo): Promise<number> {
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
