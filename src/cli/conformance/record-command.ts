// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage } from '../../server/shown-text.js';
import type { TextIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import type { Values } from '../command-line/command-table.js';
import { inProcess, ownScheduler } from '../../conformance/implementation.js';
import { recordVector, scriptsOf, vectorFileText } from '../../conformance/record.js';
import { readVectorFile } from '../../conformance/vector-file.js';
import type { Vector } from '../../conformance/vector.js';
import type { recordTable } from './record-table.js';

/** Runs `tapdisk-ts record`; returns the exit status. */
export async function runRecord({ script: file }: Values<typeof recordTable>, io: TextIo): Promise<number> {
  const { scripts, faults } = scriptsOf(readVectorFile(file, 'script'));
  for (const fault of faults) io.stderr.write(`tapdisk-ts record: ${shownMessage(fault)}\n`);
  if (faults.length > 0) return EXIT_FAILED;
  const vectors: Vector[] = [];
  for (const script of scripts) vectors.push(await recordVector(script, inProcess(ownScheduler)));
  io.stdout.write(vectorFileText(vectors));
  return EXIT_OK;
}
