// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What fio reports of reads, or of writes. */
export interface FioDirection {
  readonly iops: number;
  readonly total_ios: number;
  readonly bw_bytes: number;
  readonly clat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}

export interface FioJob {
  readonly error: number;
  readonly read: FioDirection;
  readonly write: FioDirection;
  readonly sync: { readonly lat_ns: { readonly percentile?: Readonly<Record<string, number>> } };
}

/** Runs fio on the disk that is served at a Unix socket. @throws (rejects with) Error when it fails, or reports an error */
export async function runFio(socket: string, ...args: readonly string[]): Promise<FioJob> {
  const job = ['--name=bench', '--ioengine=nbd', `--uri=nbd+unix:///?socket=${socket}`];
  const fio = spawn('fio', [...job, ...args, '--output-format=json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  fio.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(fio, 'close')) as [number | null];
  if (status !== 0) throw new Error(`fio ended with ${status}: ${output}`);
  const json = output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1);
  const [result] = (JSON.parse(json) as { jobs: FioJob[] }).jobs;
  if (result === undefined || result.error !== 0) throw new Error(`fio reports an error: ${output}`);
  return result;
}
