// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What the status page costs a daemon of eight disks, idle and under load: processor time without a page, with one, and with
// 16 of which one does not read; and what control requests take meanwhile. `npm run bench:page [-- --rounds N --seconds S]`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withDisk } from '../scripts/demo/disk-client.js';
import { programArguments } from '../scripts/program.js';
import { positiveOption, scriptOptions, wholeOption } from '../scripts/script-options.js';
import { ControlClient } from '../src/control/control-client.js';
import type { NbdClient } from '../src/nbd/index.js';
import { nullLogger, TapdiskServer } from '../src/server/index.js';
import { median } from './median.js';

const DISKS = 8;
const LIST_REQUESTS = 200;
const WARM_READS = 30_000;
const DEPTH = 16;
const SETTLING_MS = 2500;
const USAGE = `npm run bench:page [-- --rounds N] [--seconds N]

  --rounds N   how often everything is measured; the middle counts (default: 5)
  --seconds N  of each load (default: 5)`;
const { values } = scriptOptions(USAGE, {
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
});
const rounds = wholeOption('--rounds', values.rounds, 1000);
const seconds = positiveOption('--seconds', values.seconds);
const directory = mkdtempSync(path.join(tmpdir(), 'bench-page-'));

/** A daemon as a process of its own, by what it serves beside its disks. */
async function startDaemon(name: string, argv: readonly string[]): Promise<ChildProcess> {
  const disks = Array.from({ length: DISKS }, (_, minor) => ['--disk', `${minor}=ram:16`]).flat();
  const own = [
    '--control-directory',
    path.join(directory, name),
    '--nbd',
    path.join(directory, `${name}.nbd`),
  ];
  const daemon = spawn(
    process.execPath,
    [...programArguments('src/cli/main.ts'), 'daemon', ...own, ...disks, ...argv],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  await once(daemon.stdout, 'data');
  return daemon;
}

/** Of all threads of a process, in seconds. */
function processorSeconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    const [running = 0] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ').map(Number);
    return sum + running / 1e9;
  }, 0);
}

/** Pages as the daemon sees them; the first of several does not read. */
async function openPages(count: number): Promise<Socket[]> {
  const pages = Array.from({ length: count }, () => {
    const socket = connect(path.join(directory, 'page')).on('error', () => {});
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return socket;
  });
  await Promise.all(pages.map((page) => once(page, 'readable')));
  for (const page of pages.slice(count > 1 ? 1 : 0)) page.resume();
  return pages;
}

/** A client of a daemon's first disk, for as long as `use` takes. */
function withClient<Result>(name: string, use: (client: NbdClient) => Promise<Result>): Promise<Result> {
  return withDisk(path.join(directory, `${name}.nbd`), '0', use);
}

/** Has a daemon's code for reads compiled. */
function warmUp(name: string): Promise<void> {
  return withClient(name, async (client) => {
    for (let count = 0; count < WARM_READS; count += DEPTH) {
      await Promise.all(Array.from({ length: DEPTH }, () => client.read(0, 4096)));
    }
  });
}

/** Keeps a disk busy: so many reads of 4 KiB a second, those of ten milliseconds at a time. */
async function underLoad<Result>(
  client: NbdClient,
  perSecond: number,
  use: () => Promise<Result>,
): Promise<Result> {
  const state = { isOver: perSecond === 0 };
  const loading = (async () => {
    for (let next = performance.now(); !state.isOver; next += 10) {
      const reads = Array.from({ length: perSecond / 100 }, (_, count) => client.read(4096 * count, 4096));
      await Promise.all(reads);
      // What this machine was too busy for is made up for: each case has the same reads.
      await delay(Math.max(0, next + 10 - performance.now()));
    }
  })();
  try {
    return await use();
  } finally {
    state.isOver = true;
    await loading;
  }
}

/** How much of a processor a daemon takes, in per cent. */
async function shareOf(daemon: ChildProcess): Promise<number> {
  const pid = daemon.pid ?? 0;
  const [before, start] = [processorSeconds(pid), performance.now()];
  await delay(seconds * 1000);
  return (100 * 1000 * (processorSeconds(pid) - before)) / (performance.now() - start);
}

/** What LIST takes, in milliseconds: the median, and what 99 of 100 take at most. */
async function listTimes(daemon: ChildProcess): Promise<[median: number, most: number]> {
  const server = new TapdiskServer({ logger: nullLogger });
  const client = new ControlClient(server.posix, path.join(directory, 'with'));
  const times: number[] = [];
  for (let count = 0; count < LIST_REQUESTS; count++) {
    const start = performance.now();
    await client.list(daemon.pid ?? 0);
    times.push(performance.now() - start);
  }
  await server[Symbol.asyncDispose]();
  const sorted = times.toSorted((a, b) => a - b);
  return [median(times), sorted[Math.ceil(0.99 * sorted.length) - 1] ?? NaN];
}

const without = await startDaemon('without', []);
const withPage = await startDaemon('with', ['--metrics', path.join(directory, 'page')]);
const cases = [
  { name: 'no --metrics', daemon: without, load: 'without', pages: 0 },
  { name: 'no page open', daemon: withPage, load: 'with', pages: 0 },
  { name: '1 page', daemon: withPage, load: 'with', pages: 1 },
  { name: '16 pages, 1 not reading', daemon: withPage, load: 'with', pages: 16 },
];
try {
  for (const name of ['without', 'with']) await warmUp(name);
  for (const perSecond of [0, 500]) {
    const shares = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
    const lists = new Map<string, [number, number][]>(cases.map(({ name }) => [name, []]));
    // The first round is to warm up.
    for (let count = -1; count < rounds; count++) {
      for (const { name, daemon, load, pages } of cases) {
        const open = await openPages(pages);
        const [share, list] = await withClient(load, (client) =>
          underLoad(client, perSecond, async () => {
            // A daemon that was idle is slow at first, and would be charged for it.
            await delay(SETTLING_MS);
            const measured = await shareOf(daemon);
            return [measured, daemon === withPage ? await listTimes(daemon) : undefined] as const;
          }),
        );
        for (const page of open) page.destroy();
        if (count < 0) continue;
        shares.get(name)?.push(share);
        if (list) lists.get(name)?.push(list);
      }
    }
    console.log(`${DISKS} disks, ${perSecond} reads a second: part of a processor, LIST (median, 99 of 100)`);
    for (const { name } of cases) {
      const times = lists.get(name) ?? [];
      const [middle, most] = [median(times.map(([each]) => each)), median(times.map(([, each]) => each))];
      const list = times.length === 0 ? '' : `  ${middle.toFixed(2)} ms  ${most.toFixed(2)} ms`;
      console.log(
        `  ${name.padEnd(26)}${median(shares.get(name) ?? [])
          .toFixed(2)
          .padStart(6)} %${list}`,
      );
    }
  }
} finally {
  for (const daemon of [without, withPage]) {
    daemon.kill();
    await once(daemon, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
}
