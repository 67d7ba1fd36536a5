// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DISK_MIB, type Server } from './programs.js';

export interface Load {
  /** fio's name: reads, writes or both in equal parts, at random places. */
  readonly pattern: 'randread' | 'randwrite' | 'randrw';
  readonly kib: number;
  /** Requests at once. */
  readonly depth: number;
}

export interface Round {
  readonly requestsPerSecond: number;
  /** The server's processor time for a request, in microseconds. */
  readonly processorMicroseconds: number;
}

export async function round(server: Server, { pattern, kib, depth }: Load, seconds: number): Promise<Round> {
  const job = ['--name=bench', '--ioengine=nbd', `--uri=nbd+unix:///?socket=${server.socket}`];
  const load = [`--rw=${pattern}`, `--bs=${kib}k`, `--iodepth=${depth}`, `--size=${DISK_MIB}M`];
  const time = [`--runtime=${seconds}`, '--time_based', '--output-format=json'];
  const before = server.processorTime;
  const fio = spawn('fio', [...job, ...load, ...time], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  fio.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(fio, 'close')) as [number | null];
  if (status !== 0) throw new Error(`fio ended with ${status}: ${output}`);
  const used = server.processorTime - before;
  interface Direction {
    readonly iops: number;
    readonly total_ios: number;
  }
  const report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as {
    jobs: { error: number; read: Direction; write: Direction }[];
  };
  const [result] = report.jobs;
  if (result === undefined || result.error !== 0) throw new Error(`fio reports an error: ${output}`);
  const { read, write } = result;
  return {
    requestsPerSecond: read.iops + write.iops,
    processorMicroseconds: used / (read.total_ios + write.total_ios),
  };
}
