// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type PrefixState, Random } from '../../../src/testing/index.js';
import type { Segment } from './simulation/history.js';
import type { CreateReplication } from './simulation/node.js';
import { type Promised, Session } from './simulation/session.js';

export interface PrefixOptions {
  readonly create: CreateReplication;
  /** Drawn subsets at each prefix. */
  readonly samples: number;
  /** Every so many states are recovered; 1: all. */
  readonly every: number;
  /** Of those recovered, every so many are also connected, and must come to be equal. */
  readonly connectEvery: number;
}

export interface PrefixReport {
  readonly states: number;
  readonly connected: number;
  /** What of which state is wrong. */
  readonly failures: readonly string[];
}

/** Records a session of both sides, and recovers them from every state that a loss of power could have left. */
export async function checkPrefixes(seed: number, options: PrefixOptions): Promise<PrefixReport> {
  const session = await Session.begin(seed, options.create);
  // With every other seed the journal is in its second file by then.
  for (let round = seed % 2 === 0 ? 3 : 0; round > 0; round--) {
    await session.write(9, [128]);
    await session.checkpoint();
  }
  const recorder = session.record();
  for (let round = 0; round < 3; round++) {
    await session.write(5);
    await session.flush();
    await session.checkpoint();
  }
  await session.breakOff();
  await session.write(4);
  await session.checkpoint();
  recorder.stop();
  const failures: string[] = [];
  let [index, states, connected] = [0, 0, 0];
  for (const state of recorder.prefixes(new Random(seed), options.samples)) {
    if (index++ % options.every !== 0) continue;
    const connects = states++ % options.connectEvery === 0;
    if (connects) connected += 1;
    const failure = await failureOf(seed, options.create, session.segment, state, connects);
    if (failure !== undefined)
      failures.push(`after ${state.operations} operations, ${state.survival}: ${failure}`);
    if (failures.length > 5) break;
  }
  return { states, connected, failures };
}

async function failureOf(
  seed: number,
  create: CreateReplication,
  segment: Segment,
  { systems, marks }: PrefixState<Promised>,
  connects: boolean,
): Promise<string | undefined> {
  const scene = await Session.resume(seed, create, systems);
  const { world, violations, hosts } = scene;
  const [backupHost, primaryHost] = hosts;
  const link = world.link(...hosts).cut();
  await world.run(() => !violations.isEmpty || hosts.every((host) => scene.node(host) !== undefined), {
    limitSeconds: 60,
  });
  const [backup, primary] = [scene.node(backupHost), scene.node(primaryHost)];
  if (!backup || !primary) return violations.list.join('; ');
  const shown = await world.complete(backup.checkpoint());
  if (typeof shown === 'number') return `the backup shows nothing: ${shown}`;
  const moment = segment.momentOf(shown, latest(marks, 'acked'));
  if (typeof moment === 'string') return `the backup: ${moment}`;
  const own = await world.complete(primary.readAll());
  if (!own) return 'the primary cannot be read';
  for (const [sector, tag] of own.entries()) {
    if (!segment.mayRead(sector, tag, latest(marks, 'flushed'), Infinity))
      return `the primary: sector ${sector} is ${tag}, which was overwritten and flushed`;
  }
  if (!connects) return undefined;
  link.heal();
  await Session.untilProtected(scene);
  const done = await world.complete(primary.ask((told) => primary.engine.checkpoint(told)));
  if (done < 0) return `a checkpoint fails: ${done}`;
  const after = await world.complete(backup.checkpoint());
  if (typeof after === 'number') return `the backup shows nothing after the resync: ${after}`;
  const different = [...own.keys()].filter((sector) => own[sector] !== after[sector]);
  if (different.length > 0)
    return `${different.length} sectors differ after the resync, the first is ${different[0]}`;
  return violations.isEmpty ? undefined : violations.list.join('; ');
}

function latest(marks: readonly Promised[], kind: Promised['kind']): number {
  return Math.max(-Infinity, ...marks.filter((mark) => mark.kind === kind).map(({ moment }) => moment));
}
