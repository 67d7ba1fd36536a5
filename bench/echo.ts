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
const KINDS = ['plain', 'deferred', 'scheduled'] as const;
type Kind = (typeof KINDS)[number];

const hasTaskset = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

type Child = ChildProcessByStdio<Writable, Readable, null>;

function start(script: string, args: string[]): Child {
  const command = [...programArguments(script), ...args];
  const program = hasTaskset ? 'taskset' : process.execPath;
  const pinned = hasTaskset ? ['-c', '0', process.execPath, ...command] : command;
  return spawn(program, pinned, { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** An echo server and its client, each in a process of its own. */
class Pair {
  private readonly server: Child;
  private readonly client: Child;
  private readonly times: AsyncIterator<string>;

  private constructor(server: Child, client: Child, times: AsyncIterator<string>) {
    this.server = server;
    this.client = client;
    this.times = times;
  }

  static async start(kind: Kind): Promise<Pair> {
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

/** The median of the nanoseconds per message of each kind. */
async function medians(
  pairs: Record<Kind, Pair>,
  load: (typeof LOADS)[number],
): Promise<Record<Kind, number>> {
  const times: Record<Kind, number[]> = { plain: [], deferred: [], scheduled: [] };
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
      const nanoseconds = await pairs[kind].round(load);
      if (round >= 0) times[kind].push(nanoseconds);
    }
  }
  return {
    plain: median(times.plain),
    deferred: median(times.deferred),
    scheduled: median(times.scheduled),
  };
}

/** Medians of the time per message, and what they are of node:net's throughput. */
export async function benchEcho(): Promise<void> {
  const pairs = {
    plain: await Pair.start('plain'),
    deferred: await Pair.start('deferred'),
    scheduled: await Pair.start('scheduled'),
  };
  const where = hasTaskset ? ', all on one CPU' : '';
  console.log(
    `echo: us per message and its echo over loopback, median of ${ROUNDS} interleaved rounds${where}`,
  );
  for (const load of LOADS) {
    const { plain, deferred, scheduled } = await medians(pairs, load);
    const told = (nanoseconds: number): string =>
      `${(nanoseconds / 1000).toFixed(1)} (${(plain / nanoseconds).toFixed(2)}x)`;
    const what = `${String(load.bytes).padStart(6)} B on ${String(load.connections).padStart(2)}`;
    console.log(
      `  ${what}  node:net ${(plain / 1000).toFixed(1)}  with setImmediate ${told(deferred)}  descriptors ${told(scheduled)}`,
    );
  }
  for (const pair of Object.values(pairs)) await pair.end();
}

if (process.argv[1] === import.meta.filename) await benchEcho();
