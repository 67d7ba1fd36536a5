// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { programArguments } from '../../scripts/program.js';
import { repositoryFile } from '../../scripts/repository-files.js';
import type { Dialect } from '../../src/scheduler/dialect.js';

/** How a test file went that ran as a process of its own. */
export interface TestFileOutcome {
  readonly file: string;
  /** 0 when all of its tests passed. */
  readonly exit: number | string;
  readonly output: string;
}

/** Runs test files of test/daemon, whose daemons have a dialect, one after the other. */
export async function* runDaemonTests(
  dialect: Dialect,
  names: readonly string[],
): AsyncGenerator<TestFileOutcome, void, undefined> {
  for (const name of names) yield await runTestFile(`test/daemon/${name}.test.ts`, dialect);
}

function runTestFile(file: string, dialect: Dialect): Promise<TestFileOutcome> {
  // As another test's child, a file leaves out its summary, which says whether it ran any tests.
  const { NODE_V8_COVERAGE: _coverage, TAP_CHILD_ID: _parent, ...environment } = process.env;
  const options = {
    cwd: repositoryFile('.'),
    env: { ...environment, TEST_DIALECT: dialect },
    maxBuffer: 16 << 20,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, programArguments(file), options, (error, stdout, stderr) => {
      resolve({ file, exit: error === null ? 0 : (error.code ?? error.message), output: stdout + stderr });
    });
  });
}
