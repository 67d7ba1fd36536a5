// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { runFio } from '../fio.js';
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
  const load = [`--rw=${pattern}`, `--bs=${kib}k`, `--iodepth=${depth}`, `--size=${DISK_MIB}M`];
  const before = server.processorTime;
  const { read, write } = await runFio(server.socket, ...load, `--runtime=${seconds}`, '--time_based');
  const used = server.processorTime - before;
  return {
    requestsPerSecond: read.iops + write.iops,
    processorMicroseconds: used / (read.total_ios + write.total_ios),
  };
}
