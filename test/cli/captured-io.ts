// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough, Writable } from 'node:stream';
import type { CommandIo } from '../../src/cli/command-io.js';

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line; returns the exit status. */
export type RunCommand = (argv: string[], io: CommandIo) => Promise<number>;

class Capture extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs a command and keeps what it prints. */
export async function captured(command: RunCommand, argv: string[], isTTY = false): Promise<Outcome> {
  const stdout = Object.assign(new Capture(), { isTTY });
  const stderr = new Capture();
  const exitCode = await command(argv, { stdin: new PassThrough(), stdout, stderr });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}
