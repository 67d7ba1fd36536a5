// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough } from 'node:stream';
import type { RunCommand } from '../../../src/server/cli/command-io.js';

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command and keeps what it prints. */
export async function captured(command: RunCommand, argv: string[], isTTY = false): Promise<Outcome> {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = new PassThrough();
  const exitCode = await command(argv, { stdin: new PassThrough(), stdout, stderr });
  const text = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';
  return { exitCode, stdout: text(stdout), stderr: text(stderr) };
}
