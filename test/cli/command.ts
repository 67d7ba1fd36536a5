// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough } from 'node:stream';
import { dispatch } from '../../src/cli/dispatch.js';
import { ReportLog } from './transfer/report-log.js';

/** Runs a command line in this process, with nothing on standard input. */
export async function command(
  ...argv: string[]
): Promise<{ status: number; stdout: string; stderr: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()] as const;
  stdin.end();
  const status = await dispatch(argv, { stdin, stdout, stderr });
  // A call may give one chunk, or everything.
  const text = (stream: PassThrough): string => {
    const chunks: Buffer[] = [];
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  return { status, stdout: text(stdout), stderr: text(stderr) };
}

/** Starts a command line in this process, with streams that the test feeds and reads. It reports in JSON. */
export function startCommand(...argv: string[]) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()] as const;
  const log = new ReportLog(stderr);
  const run = async (): Promise<number> => {
    const status = await dispatch([...argv, '--json'], { stdin, stdout, stderr });
    log.end();
    return status;
  };
  return { stdin, stdout, log, exit: run() };
}
