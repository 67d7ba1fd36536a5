// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { programArguments } from '../../scripts/program.js';
import { runFio } from '../fio.js';
import { median } from '../median.js';
import { DISK_BYTES } from './daemon.js';
import { type Effort, type Figure, figure, interleaved, ratio } from './figures.js';
import { Pair } from './pair.js';

/** 110 MiB/s. */
const LINK_BITS = 110 * 2 ** 20 * 8;
const NEAR = { name: `tdb-near-${process.pid}`, device: 'tdb0', address: '10.213.7.1' };
const FAR = { name: `tdb-far-${process.pid}`, device: 'tdb0', address: '10.213.7.2' };
const [PLAIN_PORT, PORT] = [9001, 9000];

/** Writes through a link between two namespaces that is held to a rate, beside a plain stream of TCP over it. */
export async function heldLinkFigures(directory: string, effort: Effort): Promise<Figure[]> {
  const why = makeLink();
  if (why !== undefined) {
    removeLink();
    console.log(`NOT MEASURED: the link of 110 MiB/s, which needs root, ip and tc: ${why}`);
    return [];
  }
  try {
    return await measured(directory, effort);
  } finally {
    removeLink();
  }
}

async function measured(directory: string, effort: Effort): Promise<Figure[]> {
  const pair = await Pair.start({
    directory,
    name: 'link',
    address: `${FAR.address}:${PORT}`,
    namespaces: [NEAR.name, FAR.name],
    // Little waits to be sent, so that what is accepted is what goes over the link.
    options: ['queue=4M'],
  });
  const load = ['--rw=randwrite', '--bs=64k', '--iodepth=16', '--ramp_time=1'];
  const time = [`--size=${DISK_BYTES}`, `--runtime=${effort.secondsARound * 2}`, '--time_based'];
  try {
    const { replicated, plain } = await interleaved(effort.rounds, {
      plain: () => plainRate(effort.secondsARound),
      replicated: async () => {
        const { write } = await runFio(pair.primary.socket, ...load, ...time);
        await pair.primary.settled();
        return write.bw_bytes / 2 ** 20;
      },
    });
    const whole = LINK_BITS / 8 / 2 ** 20;
    return [
      ratio('writes over a link of 110 MiB/s, of plain TCP over it', '≥ 0.97', replicated, plain, 'MiB/s'),
      figure('the same of 110 MiB/s, headers counted as nothing', '', median(replicated) / whole),
    ];
  } finally {
    await pair.end();
  }
}

/** What a plain stream of TCP carries over the link, in MiB/s. */
async function plainRate(seconds: number): Promise<number> {
  const role = (name: string, ...args: string[]): string[] => [
    ...['netns', 'exec', name, process.execPath],
    ...[...programArguments('bench/replication/plain-stream.ts'), ...args],
  ];
  const receiver = spawn('ip', role(FAR.name, 'receive', FAR.address, `${PLAIN_PORT}`, `${seconds}`), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  receiver.stdout.on('data', (text: Buffer) => (output += text.toString()));
  await once(receiver.stdout, 'data');
  const sender = spawn('ip', role(NEAR.name, 'send', FAR.address, `${PLAIN_PORT}`), { stdio: 'inherit' });
  await Promise.all([once(receiver, 'exit'), once(sender, 'exit')]);
  return Number(output.split('\n')[1]) / 2 ** 20;
}

/** Two namespaces with a link between them, both directions held; undefined, or why that cannot be. */
function makeLink(): string | undefined {
  const tbf = `root tbf rate ${LINK_BITS}bit burst 256k latency 20ms`;
  return run(
    `ip netns add ${NEAR.name}`,
    `ip netns add ${FAR.name}`,
    `ip -n ${NEAR.name} link add ${NEAR.device} type veth peer name ${FAR.device} netns ${FAR.name}`,
    ...[NEAR, FAR].flatMap(({ name, device, address }) => [
      `ip -n ${name} addr add ${address}/30 dev ${device}`,
      `ip -n ${name} link set ${device} up`,
      `ip -n ${name} link set lo up`,
      `tc -n ${name} qdisc add dev ${device} ${tbf}`,
    ]),
  );
}

function removeLink(): void {
  // One that was not made needs no removal.
  for (const { name } of [NEAR, FAR]) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
}

function run(...commands: readonly string[]): string | undefined {
  for (const command of commands) {
    const [program = '', ...args] = command.split(' ');
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) return `${command}: ${error?.message ?? stderr.trim()}`;
  }
  return undefined;
}
