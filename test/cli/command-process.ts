// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import { programArguments } from '../../scripts/program.js';
import { ReportLog } from './transfer/report-log.js';

/** What Node is given to run the command. */
export const mainProgram = programArguments('src/cli/main.ts');

/**
 * `tapdisk-ts` as a process of its own that reports in JSON. To start one takes most of a second of processor time: where
 * it is not the process that matters, commands run in the test's own (see command.ts).
 */
export class CommandProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly log: ReportLog;
  /** The exit status, or the signal that ended it. */
  readonly exit: Promise<number | string>;

  /** It is killed when the test ends, if it lives that long. */
  constructor(t: Test, argv: string[], environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [...mainProgram, ...argv, '--json'], {
      env: { ...process.env, ...environment },
    });
    this.child.stdin.on('error', () => {});
    this.log = new ReportLog(this.child.stderr);
    this.exit = this.#exit();
    t.teardown(async () => {
      this.child.kill('SIGKILL');
      await this.exit;
    });
  }

  async #exit(): Promise<number | string> {
    const [code, signal] = (await once(this.child, 'close')) as [number | null, string | null];
    this.log.end();
    return code ?? signal ?? '';
  }
}
