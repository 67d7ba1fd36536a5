// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Echo through read and write on the scheduler's descriptors against plain node:net, the client in a process of its own,
// everything on one CPU where taskset is there.

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { median } from './median.js';

const SIZES = [
  { bytes: 64, messages: 15_000 },
  { bytes: 64 * 1024, messages: 4_000 },
];
const ROUNDS = 9;
const KINDS = ['plain', 'scheduled'] as const;

const hasTaskset = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

type Child = ChildProcessByStdio<Writable, Readable, null>;

function start(script: string, args: string[]): Child {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const command = [process.execPath, '--import=tsx', file, ...args];
  const pinned = hasTaskset ? ['taskset', '-c', '0', ...command] : command;
  return spawn(pinned[0] as string, pinned.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstLine(child: Child): Promise<string> {
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return line;
}

async function roundTrip(port: string, bytes: number, messages: number): Promise<number> {
  const client = start('./echo-client.ts', [port, String(bytes), String(messages)]);
  const ended = once(client, 'exit');
  const nanoseconds = Number(await firstLine(client));
  const [code] = (await ended) as [number];
  if (code !== 0) throw new Error(`the echo client ended with ${code}`);
  return nanoseconds;
}

/** Medians of the time per round trip, and of the ratio of throughputs round by round. */
export async function benchEcho(): Promise<void> {
  const servers = new Map<string, { child: Child; port: string }>();
  for (const kind of KINDS) {
    const child = start('./echo-server.ts', [kind]);
    servers.set(kind, { child, port: await firstLine(child) });
  }
  console.log(
    `echo: us per round trip over loopback, median of ${ROUNDS} interleaved rounds${hasTaskset ? ', all on one CPU' : ''}`,
  );
  for (const { bytes, messages } of SIZES) {
    const times: Record<string, number[]> = { plain: [], scheduled: [] };
    for (let round = -1; round < ROUNDS; round++) {
      for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
        const nanoseconds = await roundTrip(servers.get(kind)?.port ?? '', bytes, messages);
        // Round -1 warms the servers up.
        if (round >= 0) times[kind]?.push(nanoseconds);
      }
    }
    const [plain = [], scheduled = []] = KINDS.map((kind) => times[kind]);
    const ratio = median(plain.map((time, round) => time / (scheduled[round] ?? 0)));
    const us = (list: number[]): string => (median(list) / 1000).toFixed(1);
    console.log(
      `  ${String(bytes).padStart(6)} B  node:net ${us(plain)} us  descriptors ${us(scheduled)} us  throughput ratio ${ratio.toFixed(2)}`,
    );
  }
  for (const { child } of servers.values()) {
    child.stdin.end();
    await once(child, 'exit');
  }
}

if (process.argv[1] === import.meta.filename) await benchEcho();
