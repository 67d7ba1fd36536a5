// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { runFio } from '../fio.js';
import { Daemon, DISK_BYTES } from './daemon.js';
import { type Effort, type Figure, interleaved, ratio } from './figures.js';
import { Pair } from './pair.js';

const SMALL = ['--rw=randwrite', '--bs=4k', '--iodepth=1'];
const LARGE = ['--rw=randwrite', '--bs=64k', '--iodepth=16'];
/** Less than what may wait toward a backup that takes nothing. */
const STALL_BYTES = 32 << 20;

const percentile = (latency: { readonly percentile?: Readonly<Record<string, number>> }): number =>
  (latency.percentile?.['50.000000'] ?? 0) / 1000;

/** Writes beside those to a disk without a backup: how many, and how long one takes. */
export async function writeFigures(directory: string, effort: Effort): Promise<Figure[]> {
  const { rounds, secondsARound } = effort;
  const time = [`--size=${DISK_BYTES}`, `--runtime=${secondsARound}`, '--time_based'];
  const alone = new Daemon({ home: `${directory}/alone` });
  await alone.start();
  const pair = await Pair.start({ directory, name: 'off' });
  const { primary, backup } = pair;
  const rate = (daemon: Daemon) => async (): Promise<number> =>
    (await runFio(daemon.socket, ...LARGE, ...time)).write.bw_bytes / 2 ** 20;
  const latency = (daemon: Daemon) => async (): Promise<number> =>
    percentile((await runFio(daemon.socket, ...SMALL, ...time)).write.clat_ns);
  const few = (daemon: Daemon) => async (): Promise<number> => {
    const size = [`--size=${DISK_BYTES}`, `--io_size=${STALL_BYTES}`, `--runtime=${secondsARound}`];
    return percentile((await runFio(daemon.socket, ...SMALL, ...size)).write.clat_ns);
  };
  const stalled = async (): Promise<number> => {
    await primary.settled();
    backup.signal('SIGSTOP');
    try {
      return await few(primary)();
    } finally {
      backup.signal('SIGCONT');
      await primary.settled();
    }
  };
  try {
    const rates = await interleaved(rounds, { alone: rate(alone), replicated: rate(primary) });
    await primary.settled();
    const times = await interleaved(rounds, { alone: latency(alone), replicated: latency(primary) });
    const stalls = await interleaved(rounds, { alone: few(alone), stalled });
    return [
      ratio('writes of 64 KiB, 16 at once', '≥ 0.5', rates.replicated, rates.alone, 'MiB/s'),
      ratio('write of 4 KiB, p50', '≤ 1.25', times.replicated, times.alone, 'µs'),
      ratio(
        'write of 4 KiB while the backup stands still, p50',
        '≤ 1.25',
        stalls.stalled,
        stalls.alone,
        'µs',
      ),
    ];
  } finally {
    await pair.end();
    await alone.end();
  }
}

/** What a flush takes that waits for the backup's commit, beside a local one; each after a write of 4 KiB. */
export async function flushFigures(
  medium: string,
  directory: string,
  backupDirectory: string,
  { rounds, secondsARound }: Effort,
): Promise<Figure[]> {
  const time = [`--size=${DISK_BYTES}`, `--runtime=${secondsARound}`, '--time_based'];
  const alone = new Daemon({ home: `${directory}/flush-alone` });
  await alone.start();
  const pair = await Pair.start({
    directory,
    backupDirectory,
    name: 'require',
    options: ['commit-on-flush=require'],
  });
  const writes: Record<'alone' | 'replicated', number[]> = { alone: [], replicated: [] };
  const flush = (which: 'alone' | 'replicated', daemon: Daemon) => async (): Promise<number> => {
    const { write, sync } = await runFio(daemon.socket, ...SMALL, '--fsync=1', ...time);
    writes[which].push(percentile(write.clat_ns) + percentile(sync.lat_ns));
    return percentile(sync.lat_ns);
  };
  try {
    const flushes = await interleaved(rounds, {
      alone: flush('alone', alone),
      replicated: flush('replicated', pair.primary),
    });
    const both = (which: 'alone' | 'replicated'): number[] => writes[which].slice(1);
    return [
      ratio(`commit on flush, ${medium}, p50`, '≤ 2', flushes.replicated, flushes.alone, 'µs'),
      ratio(`the same with the write before it`, '', both('replicated'), both('alone'), 'µs'),
    ];
  } finally {
    await pair.end();
    await alone.end();
  }
}
