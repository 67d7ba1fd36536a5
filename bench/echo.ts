// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Echo through read and write on the scheduler's descriptors against plain node:net, the client in a process of its own,
// everything on one CPU where taskset is there.

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { programArguments } from '../scripts/program.js';
import { median } from './median.js';

const LOADS = [
  { bytes: 64, messages: 1_000, connections: 1 },
  { bytes: 64, messages: 1_600, connections: 16 },
  { bytes: 64 * 1024, messages: 400, connections: 1 },
];
/** Rounds of messages, many and short: the two kinds meet the same neighbours on the machine. */
const ROUNDS = 41;
const WARM_UP_ROUNDS = 10;
const KINDS = ['plain', 'scheduled'] as const;

const hasTaskset = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

type Child = ChildProcessByStdio<Writable, Readable, null>;

function start(script: string, args: string[]): Child {
  const command = [process.execPath, ...programArguments(script), ...args];
  const pinned = hasTaskset ? ['taskset', '-c', '0', ...command] : command;
  return spawn(pinned[0] as string, pinned.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** An echo server and its client, each in a process of its own. */
class Pair {
  private constructor(
    private readonly server: Child,
    private readonly client: Child,
    private readonly times: AsyncIterator<string>,
  ) {}

  static async start(kind: (typeof KINDS)[number]): Promise<Pair> {
    const server = start('bench/echo-server.ts', [kind]);
    const [port] = (await once(createInterface(server.stdout), 'line')) as [string];
    const client = start('bench/echo-client.ts', [port]);
    return new Pair(server, client, createInterface(client.stdout)[Symbol.asyncIterator]());
  }

  /** Nanoseconds per message and its echo. */
  async round({ bytes, messages, connections }: (typeof LOADS)[number]): Promise<number> {
    this.client.stdin.write(`${bytes} ${messages} ${connections}\n`);
    const { value, done } = await this.times.next();
    if (done) throw new Error('the echo client ended');
    return Number(value);
  }

  async end(): Promise<void> {
    for (const child of [this.client, this.server]) {
      const exit = once(child, 'exit');
      child.stdin.end();
      await exit;
    }
  }
}

/** Medians of the time per round trip, and their ratio. */
export async function benchEcho(): Promise<void> {
  const pairs = { plain: await Pair.start('plain'), scheduled: await Pair.start('scheduled') };
  const where = hasTaskset ? ', all on one CPU' : '';
  console.log(
    `echo: us per message and its echo over loopback, median of ${ROUNDS} interleaved rounds${where}`,
  );
  for (const load of LOADS) {
    const times = { plain: [] as number[], scheduled: [] as number[] };
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
        const nanoseconds = await pairs[kind].round(load);
        if (round >= 0) times[kind].push(nanoseconds);
      }
    }
    const [plain, scheduled] = KINDS.map((kind) => median(times[kind]) / 1000) as [number, number];
    const throughput = (plain / scheduled).toFixed(2);
    console.log(
      `  ${String(load.bytes).padStart(6)} B on ${String(load.connections).padStart(2)}  node:net ${plain.toFixed(1)}  descriptors ${scheduled.toFixed(1)}  throughput ${throughput}x`,
    );
  }
  await pairs.plain.end();
  await pairs.scheduled.end();
}

if (process.argv[1] === import.meta.filename) await benchEcho();
