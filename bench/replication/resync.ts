// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../scripts/free-port.js';
import { programPath } from '../../scripts/program-path.js';
import type { ResyncChanged } from '../../src/replication/disk/events.js';
import { runFio } from '../fio.js';
import { Daemon, DISK_BYTES, until } from './daemon.js';
import { type Effort, type Figure, figure, interleaved, ratio } from './figures.js';
import { Pair } from './pair.js';

/** Of the map, for disks of this size. */
const GRAIN_BYTES = 64 << 10;

/** A resync of the whole disk beside nbdcopy over the same loopback, and one of a hundredth of it. */
export async function resyncFigures(directory: string, { rounds }: Effort): Promise<Figure[]> {
  if (programPath('nbdcopy') === undefined) {
    console.log('NOT MEASURED: resyncs, as nbdcopy is not installed');
    return [];
  }
  const address = `127.0.0.1:${await freePort()}`;
  const from = new Daemon({ home: `${directory}/copy-from` });
  const to = new Daemon({ home: `${directory}/copy-to`, also: address });
  await from.start();
  await to.start();
  const pair = await Pair.start({ directory, name: 'resync' });
  const writeAll = (daemon: Daemon): Promise<unknown> =>
    runFio(daemon.socket, '--rw=write', '--bs=1m', '--iodepth=4', `--size=${DISK_BYTES}`);
  const moved: number[] = [];
  try {
    const rates = await interleaved(rounds, {
      copy: async () => {
        await writeAll(from);
        return DISK_BYTES / 2 ** 20 / (await copySeconds(from.socket, address));
      },
      resync: async () => {
        const { bytes, seconds } = await resyncAfter(pair, () => writeAll(pair.primary));
        return bytes / 2 ** 20 / seconds;
      },
    });
    for (let round = 0; round < rounds; round++) {
      const part = Math.floor(DISK_BYTES / 100 / GRAIN_BYTES) * GRAIN_BYTES;
      const write = ['--rw=randwrite', '--bs=64k', `--size=${DISK_BYTES}`, `--io_size=${part}`];
      const { bytes } = await resyncAfter(pair, () => runFio(pair.primary.socket, ...write));
      moved.push((100 * bytes) / DISK_BYTES);
    }
    return [
      ratio('resync beside nbdcopy', '≥ 0.8', rates.resync, rates.copy, 'MiB/s'),
      figure(
        'resync after 1 % was written, % of the bytes',
        '≤ 1.1',
        Math.max(...moved),
        'the most of all rounds',
      ),
    ];
  } finally {
    await pair.end();
    await from.end();
    await to.end();
  }
}

/** Has the backup miss what is written, and then get it: how many bytes, and in what time until it has them for good. */
async function resyncAfter(
  { primary, backup }: Pair,
  write: () => Promise<unknown>,
): Promise<{ bytes: number; seconds: number }> {
  await primary.settled();
  await backup.end();
  await until('the primary is alone', async () => (await primary.status()).state === 'unprotected');
  await write();
  const before = (await primary.status()).resyncBytesTotal;
  await backup.start();
  await primary.settled();
  const { resyncBytesTotal } = await primary.status();
  const resyncs = (await primary.events()).filter((event): event is ResyncChanged => event.kind === 'resync');
  const begun = resyncs.findLast(({ what }) => what === 'begun');
  const ended = resyncs.findLast(({ what }) => what === 'ended');
  if (begun === undefined || ended === undefined) throw new Error('there was no resync');
  return { bytes: resyncBytesTotal - before, seconds: ended.atSeconds - begun.atSeconds };
}

async function copySeconds(socket: string, address: string): Promise<number> {
  const args = ['--flush', `nbd+unix:///?socket=${socket}`, `nbd://${address}`];
  const start = performance.now();
  const copy = spawn('nbdcopy', args, { stdio: 'inherit' });
  const [status] = (await once(copy, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`nbdcopy ended with ${status}`);
  return (performance.now() - start) / 1000;
}
