// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { runFio } from '../fio.js';
import { DISK_BYTES } from './daemon.js';
import { type Effort, type Figure, figure } from './figures.js';
import { Pair } from './pair.js';

const A_SECOND = 40;
const BYTES_EACH = 1 << 20;

/**
 * Checkpoints that are asked for through the FIFO, so many a second, while so much is written between two: how long each
 * takes until it is answered `done`.
 */
export async function checkpointFigures(directory: string, { checkpointSeconds }: Effort): Promise<Figure[]> {
  const pair = await Pair.start({ directory, name: 'checkpoints', options: ['interval=0'] });
  const fifo = `${pair.primary.home}/remus_${pair.address.replace(':', '_')}`;
  const commands = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  const answers = new Socket({
    fd: openSync(`${fifo}.msg`, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
  });
  const times: number[] = [];
  try {
    const load = ['--rw=randwrite', '--bs=64k', '--iodepth=4', `--rate=${A_SECOND * BYTES_EACH}`];
    const time = [`--size=${DISK_BYTES}`, `--runtime=${checkpointSeconds}`, '--time_based'];
    const writing = { isOver: false };
    const written = runFio(pair.primary.socket, ...load, ...time).finally(() => (writing.isOver = true));
    const start = performance.now();
    for (let due = start; !writing.isOver; due += 1000 / A_SECOND) {
      await delay(Math.max(due - performance.now(), 0));
      const asked = performance.now();
      writeSync(commands, 'flush');
      const [answer] = (await once(answers, 'data')) as [Buffer];
      if (answer.toString() !== 'done') throw new Error(`a flush was answered ${answer.toString()}`);
      times.push(performance.now() - asked);
    }
    const seconds = (performance.now() - start) / 1000;
    const { write } = await written;
    const sorted = times.toSorted((a, b) => a - b);
    const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
    const rate = `${(times.length / seconds).toFixed(1)} a second, ${(write.bw_bytes / 2 ** 20).toFixed(1)} MiB/s`;
    return [
      figure(
        `${A_SECOND} checkpoints a second of 1 MiB, done p99 in ms`,
        '≤ 25',
        at(0.99),
        `p50 ${at(0.5).toFixed(1)} ms, slowest ${at(0.9999).toFixed(1)} ms; ${rate} for ${seconds.toFixed(0)} s`,
      ),
    ];
  } finally {
    answers.destroy();
    closeSync(commands);
    await pair.end();
  }
}
