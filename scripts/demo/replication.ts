// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NodePosix } from '../../src/posix/index.js';
import { formatBytes, formatRate } from '../../src/server/format.js';
import { freePort } from '../free-port.js';
import type { Actor, Report } from './actor.js';
import { generate, MIB, sha256 } from './image.js';
import type { Stage } from './stage.js';
import { type Latencies, StatusWatch } from './status-watch.js';

export interface ReplicationOptions {
  readonly bytes: number;
  /** How long the primary is alone. */
  readonly aloneSeconds: number;
}

/**
 * A primary that is there first, a backup that comes later, an image that goes from the one to the other, and both asked for
 * their state all the while.
 */
export async function replication(
  stage: Stage,
  { bytes, aloneSeconds }: ReplicationOptions = { bytes: 64 * MIB, aloneSeconds: 3 },
): Promise<void> {
  stage.say(`Replication: ${formatBytes(bytes)}, to a backup that comes ${aloneSeconds} s late.\n`);
  const image = join(stage.directory, 'image');
  const copy = join(stage.directory, 'copy');
  await generate(image, bytes);
  const expected = await sha256(image);
  stage.tell(`image of ${bytes} bytes`);
  stage.say(`  SHA-256 ${expected}`);

  const address = `127.0.0.1:${await freePort()}`;
  const posix = new NodePosix();
  const primary = begin(stage, posix, 'primary', [address, '--input', image]);
  await delay(aloneSeconds * 1000);
  const backup = begin(stage, posix, 'backup', [address, '--output', copy, '--once']);
  for (const { actor, watch } of [primary, backup]) {
    const status = await actor.exit;
    await watch.end();
    if (status !== 0) throw new Error(`the ${actor.name} ended with ${status}`);
  }

  const found = await sha256(copy);
  const hashes = [expected, found, reported(primary.actor), reported(backup.actor)];
  if (new Set(hashes).size !== 1) throw new Error(`the hashes differ: ${hashes.join(', ')}`);
  const { seconds, rate } = backup.actor.report('complete');
  const alone = primary.watch.latencies(['none', 'in_progress']);
  if (alone.answered === 0) throw new Error('the primary answered no status request while it was alone');
  summarise(stage, { seconds: Number(seconds), rate: Number(rate), sha256: found }, [
    ['primary, connecting', alone],
    ['primary, sending', primary.watch.latencies(['established'])],
    ['backup, listening', backup.watch.latencies(['none', 'in_progress'])],
    ['backup, receiving', backup.watch.latencies(['established'])],
  ]);
}

function begin(stage: Stage, posix: NodePosix, name: string, argv: readonly string[]) {
  const socket = join(stage.directory, `${name}.sock`);
  const actor = stage.start(name, [name, ...argv, '--status', socket, '--json']);
  stage.tell(`${name} started, pid ${actor.pid}`);
  actor.onReport((report) => {
    const what = describe(report);
    if (what !== undefined) stage.tell(`${name}: ${what}`);
  });
  return { actor, watch: new StatusWatch(posix, socket, actor.exit) };
}

function describe(report: Report): string | undefined {
  switch (report.event) {
    case 'retrying':
      return `attempt ${String(report['attempts'])}: ${String(report['message'])}`;
    case 'established':
      return `connected, ${String(report['peer'])}`;
    case 'complete':
      return `complete, ${String(report['bytes'])} bytes`;
    case 'failed':
    case 'broken':
      return `${report.event}: ${String(report['message'])}`;
    case 'line':
      return String(report['line']);
    default:
      return undefined;
  }
}

function reported(actor: Actor): string {
  return String(actor.report('complete')['sha256']);
}

function summarise(
  stage: Stage,
  { seconds, rate, sha256: hash }: { seconds: number; rate: number; sha256: string },
  latencies: readonly [string, Latencies][],
): void {
  stage.say(`\n  transfer            ${seconds.toFixed(2)} s, ${formatRate(rate)}`);
  stage.say('  image and copy      equal');
  stage.say(`  SHA-256 ${hash}`);
  stage.say('  status requests     answered    median   slowest');
  for (const [name, { answered, median, slowest }] of latencies) {
    const times = [median, slowest].map((time) => `${time.toFixed(1)} ms`.padStart(10));
    stage.say(`    ${name.padEnd(18)}${String(answered).padStart(8)}${answered > 0 ? times.join('') : ''}`);
  }
}
